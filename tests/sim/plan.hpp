#pragma once

#include "core/server_config.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/options.hpp"

#include <vector>

namespace cpm::sim {

/// Independent sources of chance, so that leaving one kind of fault out leaves the rest alike.
enum class Chance : std::uint8_t {
    Plan,
    Agents,
    Machines,
    Network,
    Manager,
    Disk,
    People,
    Troubles,
    Snapshots,
    Acts,   ///< what comes at the last moment
    Attacks ///< on the way between agents and the manager
};
inline constexpr std::size_t kChances = 11;

/// What a seed says a cluster is like.
struct Plan {
    std::vector<Machine::Build> machines;
    std::vector<core::ServerConfig> servers; ///< of the machine of the same place
    std::vector<core::SettingChange> settings;
};

Plan make_plan(Dice& dice, Options const& options);

} // namespace cpm::sim
