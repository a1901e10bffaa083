#pragma once

#include "tests/sim/faults.hpp"
#include "tests/sim/schedule.hpp"

#include <cstdint>

namespace cpm::sim {

/// What a run is repeated with. The same options, the same run.
struct Options {
    std::uint64_t seed = 1;
    std::uint32_t servers = 0; ///< 0: as the seed says
    std::chrono::seconds length = std::chrono::hours(2);
    FaultSet faults = FaultSet::all();
    std::uint32_t interval = 0; ///< of the heartbeats in seconds; 0: as the seed says
    /// How often faults and people come: 100 is usual, 50 half as often.
    std::uint32_t trouble = 100;
    bool tells = false;   ///< prints the history
    std::size_t kept = 0; ///< lines of it that the verdict has
};

} // namespace cpm::sim
