#pragma once

#include <array>
#include <cstdint>

namespace cpm::core {

/// SHA-256 of a record's stored bytes: the chain of the log (event log, "Chain").
using Hash = std::array<std::uint8_t, 32>;

} // namespace cpm::core
