#pragma once

#include "core/fleet.hpp"
#include "core/hash.hpp"
#include "tests/sim/book.hpp"
#include "tests/sim/guards.hpp"
#include "tests/sim/second_reading.hpp"
#include "tests/sim/wakes.hpp"

#include <map>

namespace cpm::sim {

/// All changes of statuses that the events of a log tell of: one number.
class Transitions {
  public:
    void add(core::Event const& event) {
        if (!event.actual || statuses_[event.server] == *event.actual)
            return;
        statuses_[event.server] = *event.actual;
        sum_ ^= event.decision.value * 64 + static_cast<std::uint64_t>(*event.actual);
        sum_ = (sum_ ^ sum_ >> 29) * 0x9e3779b97f4a7c15;
    }
    bool operator==(Transitions const&) const = default;

  private:
    std::map<core::ServerId, core::ActualStatus> statuses_;
    std::uint64_t sum_ = 0;
};

/// What the log says, as far as it was read: kept from its bytes alone, from the first event on,
/// through all lives of the manager. A value: one can go back to an earlier one.
struct Reading {
    core::Sequence head;
    core::Hash hash{}; ///< of the record there
    std::map<core::ServerId, Book> books;
    Guards guards;
    SecondReading second;
    Wakes wakes;
    core::Fleet fold; ///< by core: what must be served
    Transitions transitions;
};

} // namespace cpm::sim
