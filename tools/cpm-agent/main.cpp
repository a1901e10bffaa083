// cpm-agent: what runs on each managed server (docs/status-model.md says what it reports).
#include "tools/cpm-agent/commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <sodium.h>

namespace {

using namespace cpm;

int run(tools::AgentOptions const& options) {
    switch (options.command) {
    case tools::AgentCommand::Join: return agent_join(options);
    case tools::AgentCommand::Run: return agent_run(options);
    case tools::AgentCommand::Status: return agent_status(options);
    case tools::AgentCommand::Leave: return agent_leave(options);
    case tools::AgentCommand::Hooks: return agent_hooks(options);
    case tools::AgentCommand::ArmWake: return agent_arm_wake(options);
    }
    return tools::kWrongUsage;
}

} // namespace

int main(int argc, char** argv) {
    auto const read = tools::read_agent_options(argc, argv);
    if (auto const* help = std::get_if<tools::AgentHelp>(&read)) {
        fmt::print("{}", help->text);
        return 0;
    }
    if (auto const* error = std::get_if<tools::AgentUsageError>(&read)) {
        for (auto const& fault : error->faults)
            tools::agent_report(fault);
        tools::agent_report("see cpm-agent --help");
        return tools::kWrongUsage;
    }
    if (sodium_init() < 0) {
        tools::agent_report("libsodium cannot find a source of randomness");
        return tools::kNotDone;
    }
    return run(std::get<tools::AgentOptions>(read));
}
