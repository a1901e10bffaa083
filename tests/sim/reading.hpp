#pragma once

#include "core/fleet.hpp"
#include "core/hash.hpp"
#include "tests/sim/book.hpp"
#include "tests/sim/second_reading.hpp"

#include <map>

namespace cpm::sim {

/// What the log says, as far as it was read: kept from its bytes alone, from the first event on,
/// through all lives of the manager. A value: one can go back to an earlier one.
struct Reading {
    core::Sequence head;
    core::Hash hash{}; ///< of the record there
    std::map<core::ServerId, Book> books;
    SecondReading second;
    core::Fleet fold; ///< by core: what must be served
};

} // namespace cpm::sim
