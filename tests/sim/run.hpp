#pragma once

#include "tests/sim/journal.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/world.hpp"

#include <optional>
#include <string>

namespace cpm::sim {

/// What a run came to: its result, or the invariant that it broke.
struct Verdict {
    Result result;
    std::optional<Invariant> broken;
    std::string what;
    Time at{}; ///< when it ended
};

Verdict run(Options const& options);

/// The least of these options that break the same invariant: a shorter time, fewer kinds of faults,
/// fewer servers, as far as some hundred runs find them.
Options shrink(Options const& failing, Verdict const& verdict);

/// The command line that repeats it.
std::string command_line(Options const& options);

} // namespace cpm::sim
