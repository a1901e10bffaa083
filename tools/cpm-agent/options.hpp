#pragma once

#include "agent/machine.hpp"
#include "agent/url.hpp"

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace cpm::tools {

enum class AgentCommand { Join, Run, Status, Leave, Hooks, ArmWake };

/// What cpm-agent is started with: flags win over the configuration file.
struct AgentOptions {
    AgentCommand command{};
    std::filesystem::path state_directory = "/var/lib/cpm-agent";
    std::filesystem::path run_directory = "/run/cpm-agent";
    agent::MachineConfig machine;

    // join
    agent::Url manager;
    std::string join_token;
    std::string ca_pin; ///< empty: none
    std::vector<std::string> mac_addresses;
    bool start = true;
};

/// Everything that is wrong, a line a fault: the flag, or file and line, and what was expected.
struct AgentUsageError {
    std::vector<std::string> faults;
};

/// The text of --help or --version, to be printed to standard output.
struct AgentHelp {
    std::string text;
};

std::variant<AgentOptions, AgentUsageError, AgentHelp>
read_agent_options(int argc, char const* const* argv);

/// Reads the configuration file into the options, and appends what is wrong with it.
void read_agent_file(
    std::filesystem::path const& file, AgentOptions& options, std::vector<std::string>& faults
);

} // namespace cpm::tools
