#pragma once

#include "tests/sim/journal.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/world.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace cpm::sim {

/// What a run came to: its result, or the invariant that it broke.
struct Verdict {
    Result result;
    std::optional<Invariant> broken;
    std::string what;
    Time at{};                       ///< when it ended
    std::deque<std::string> history; ///< its last lines
};

Verdict run(Options const& options);

/// The least options that break the same invariant in the same way: a shorter time, fewer servers,
/// fewer kinds of faults, another seed that does so sooner; as far as some hundred runs or some
/// minutes find them, and `goes_on` says.
Options
shrink(Options const& failing, Verdict const& verdict, std::function<bool()> const& goes_on);

/// The command line that repeats it.
std::string command_line(Options const& options);

} // namespace cpm::sim
