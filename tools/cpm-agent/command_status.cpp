#include "agent/identity.hpp"
#include "agent/logind_machine.hpp"
#include "agent/store.hpp"
#include "agent/wake_arming.hpp"
#include "tools/cpm-agent/commands.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace cpm::tools {
namespace {

std::string_view word_of(agent::Trust trust) {
    switch (trust) {
    case agent::Trust::Plain: return "plain HTTP, not protected";
    case agent::Trust::Pinned: return "its own CA, pinned when this machine joined";
    case agent::Trust::System: return "a CA this machine trusts";
    }
    return "";
}

std::string_view word_of(agent::Memory::Said said) {
    switch (said) {
    case agent::Memory::Said::On: return "ON";
    case agent::Memory::Said::Stopping: return "Stopping";
    case agent::Memory::Said::Acted: return "Stopping (the machine is going down)";
    }
    return "";
}

std::string_view word_of(agent::WakeArming::State state) {
    switch (state) {
    case agent::WakeArming::State::Armed: return "armed";
    case agent::WakeArming::State::Off: return "not armed";
    case agent::WakeArming::State::Impossible: return "cannot be armed";
    case agent::WakeArming::State::Unknown: return "unknown (ask as root)";
    }
    return "";
}

std::string blocked_by(agent::MachineConfig const& config) {
    if (!config.power_command.empty())
        return agent::read_hold(config.hold_file);
    boost::asio::io_context io(1);
    return agent::LogindMachine(io, config).blocked_by();
}

} // namespace

int agent_status(AgentOptions const& options) {
    auto const credentials = agent::load_credentials(options.state_directory);
    if (!credentials) {
        agent_report(credentials.error());
        if (::geteuid() != 0)
            agent_report("only root may look: sudo cpm-agent status");
        return kNotDone;
    }
    if (!*credentials) {
        fmt::print("not joined: paste the join line of this server's page\n");
        return kNotDone;
    }
    auto const& joined = **credentials;
    fmt::print("manager     {} ({})\n", joined.manager_url, word_of(joined.trust));
    fmt::print("server      {}\n", joined.server_id);
    fmt::print("cards       {}\n", fmt::join(joined.mac_addresses, " "));
    auto const marker = agent::load_marker(options.run_directory, joined.join_id);
    auto const boot_id = agent::read_boot_id(options.run_directory);
    if (marker && boot_id && marker->memory.identity.boot_id == *boot_id) {
        auto const& memory = marker->memory;
        fmt::print("reports     {}\n", word_of(memory.said));
        fmt::print("boot        {} resume {}\n", *boot_id, memory.identity.resume_count);
        if (!memory.failed.empty())
            fmt::print("refuses     request {}: {}\n", memory.request, memory.failed);
    } else {
        fmt::print("reports     nothing yet in this boot\n");
    }
    auto const head = agent::load_head(options.state_directory, joined.join_id);
    auto const veto = head ? blocked_by(options.machine) : head.error();
    fmt::print("blocked by  {}\n", veto.empty() ? "nothing" : veto);
    for (auto const& card : agent::look_at_waking(joined.mac_addresses, false))
        fmt::print(
            "wakes       {} ({}): {}{}{}\n",
            card.interface,
            card.mac,
            word_of(card.state),
            card.warning.empty() ? "" : "; ",
            card.warning
        );
    return 0;
}

int agent_leave(AgentOptions const& options) {
    auto const credentials = agent::load_credentials(options.state_directory);
    if (credentials && !*credentials) {
        fmt::print("not joined: there is nothing to undo\n");
        return 0;
    }
    std::error_code ignored;
    if (std::filesystem::exists("/run/systemd/system", ignored))
        (void)systemctl({"disable", "--now", "cpm-agent.service"});
    if (auto const dropped = agent::drop_state(options.state_directory); !dropped) {
        agent_report(dropped.error());
        return kNotDone;
    }
    agent::drop_marker(options.run_directory);
    fmt::print("left; the manager shows this server as it was until you remove it there\n");
    return 0;
}

} // namespace cpm::tools
