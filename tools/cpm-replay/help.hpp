#pragma once

#include "tools/cpm-replay/options.hpp"

#include <span>

namespace cpm::replay {

/// A command as --help and the man page tell of it.
struct CommandHelp {
    Command command{};
    char const* name;
    char const* summary;
    char const* details; ///< what it shows exactly, then examples
};

/// All commands, in the order in which --help lists them.
std::span<CommandHelp const> all_commands();

/// What stands above and below the list of commands.
char const* about();
char const* notes();

} // namespace cpm::replay
