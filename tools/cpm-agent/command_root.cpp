// What root does for the agent, which is not root: the hooks' unit and the start of the daemon call
// these.
#include "agent/files.hpp"
#include "agent/hooks.hpp"
#include "agent/logind_machine.hpp"
#include "agent/store.hpp"
#include "agent/wake_arming.hpp"
#include "tools/cpm-agent/commands.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <sys/stat.h>

namespace cpm::tools {
namespace {

namespace asio = boost::asio;

/// Tells the agent, which may read this, which hook it was.
void write_failed(std::string const& name) {
    if (auto const written =
            agent::write_file(agent::kFailedHookFile, name, agent::Durability::Volatile);
        !written)
        agent_report(written.error());
    ::chmod(agent::kFailedHookFile, 0644);
}

} // namespace

int agent_hooks(AgentOptions const& options) {
    (void)agent_arm_wake(options); // in time for the next wake
    asio::io_context io(1);
    agent::HooksEnd end;
    auto const& machine = options.machine;
    asio::co_spawn(
        io,
        agent::run_hooks(machine.hooks_directory, machine.hook_time_limit),
        [&](std::exception_ptr const&, agent::HooksEnd ended) { end = std::move(ended); }
    );
    io.run();
    for (auto const& line : end.report)
        agent_report(line);
    write_failed(end.failed);
    return end.failed.empty() ? 0 : kNotDone;
}

int agent_arm_wake(AgentOptions const& options) {
    using State = agent::WakeArming::State;
    auto const credentials = agent::load_credentials(options.state_directory);
    if (!credentials || !*credentials)
        return 0; // nobody wakes it yet
    int status = 0;
    for (auto const& card : agent::look_at_waking((*credentials)->mac_addresses, true)) {
        if (card.state != State::Armed) {
            agent_report(fmt::format(
                "{} ({}) is not armed for wake-on-LAN{}{}",
                card.interface,
                card.mac,
                card.warning.empty() ? "" : ": ",
                card.warning
            ));
            status = kNotDone;
        } else if (!card.warning.empty())
            agent_report(fmt::format("{} ({}): {}", card.interface, card.mac, card.warning));
    }
    return status;
}

} // namespace cpm::tools
