#pragma once

#include "core/fleet.hpp"
#include "core/result.hpp"

#include <string>
#include <vector>

namespace cpm::core {

/// May a server of this configuration be added (`self` none), or take the place of its own? Names
/// and MACs are unique.
Result<void> check_config(Fleet const& fleet, ServerId self, ServerConfig const& config);

/// What a machine says of itself when it joins.
struct JoiningMachine {
    std::string hostname;
    std::vector<MacAddress> mac_addresses;
};

/// The MACs the server has once this machine has joined, or WrongMachine, naming both: a join line
/// pasted on the wrong machine would later switch that one off. Refused: a machine with a MAC of
/// another server, and one with none of this server's (unless it has none yet). `any_machine` (said
/// when the token was made) lifts both; MACs of another server stay with it.
Result<std::vector<MacAddress>> check_join(
    Fleet const& fleet, Server const& server, JoiningMachine const& machine, bool any_machine
);

} // namespace cpm::core
