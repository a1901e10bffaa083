#pragma once

#include "core/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace cpm::core {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The clock of deadlines (CLOCK_MONOTONIC). It has no now(): core is told the time.
struct MonoClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<MonoClock, duration>;
    static constexpr bool is_steady = true;
};
using MonoTime = std::chrono::time_point<MonoClock, std::chrono::nanoseconds>;

/// Wall-clock time in microseconds since 1970 (UTC). For people only: the sequence is the order
/// (status model 1.5).
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// Both clocks, read together.
struct Now {
    MonoTime mono;
    WallTime wall;
};

/// RFC 3339 in UTC with milliseconds: "2026-11-21T09:00:00.000Z".
std::string to_rfc3339(WallTime time);

/// Reads RFC 3339 ("2026-11-21T09:00:00Z", fractions and numeric offsets allowed).
Result<WallTime> parse_rfc3339(std::string_view text);

} // namespace cpm::core
