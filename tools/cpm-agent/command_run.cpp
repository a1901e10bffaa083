#include "agent/files.hpp"
#include "agent/logind_machine.hpp"
#include "agent/loop.hpp"
#include "agent/program.hpp"
#include "tools/cpm-agent/commands.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>

namespace cpm::tools {
namespace {

namespace asio = boost::asio;

/// Where a command replaces logind the bus is not used at all.
std::unique_ptr<agent::Machine>
make_machine(asio::io_context& io, agent::MachineConfig const& config) {
    if (config.power_command.empty())
        return std::make_unique<agent::LogindMachine>(io, config);
    return std::make_unique<agent::CommandMachine>(config);
}

int run(AgentOptions const& options, agent::Credentials const& credentials, std::string boot_id) {
    asio::io_context io(1);
    auto const machine = make_machine(io, options.machine);
    agent::Loop loop(
        io,
        {
            .state_directory = options.state_directory,
            .run_directory = options.run_directory,
            .agent_version = CPM_VERSION,
            .report = agent_report,
        },
        credentials,
        {std::move(boot_id), 0},
        *machine
    );
    std::signal(SIGPIPE, SIG_IGN);
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](auto error, int) {
        if (!error)
            loop.stop();
    });
    asio::co_spawn(io, loop.run(), [&](std::exception_ptr const& failure) {
        // Hooks and the power action are left to end by themselves.
        io.stop();
        if (failure)
            std::rethrow_exception(failure);
    });
    io.run();
    return 0;
}

} // namespace

int agent_run(AgentOptions const& options) {
    auto const credentials = agent::load_credentials(options.state_directory);
    if (!credentials) {
        agent_report(credentials.error());
        return kWrongUsage; // nothing to try again before somebody joins
    }
    if (!*credentials) {
        agent_report("this machine has not joined a manager: paste the join line of its server");
        return kNotDone;
    }
    auto boot_id = agent::read_boot_id(options.run_directory);
    if (!boot_id) {
        agent_report(boot_id.error());
        return kNotDone;
    }
    std::error_code error;
    std::filesystem::create_directories(options.run_directory, error);
    return run(options, **credentials, std::move(*boot_id));
}

void agent_report(std::string_view line) {
    fmt::print(stderr, "cpm-agent: {}\n", line);
}

bool systemctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/systemctl", "--quiet"});
    asio::io_context io(1);
    tl::expected<void, std::string> done;
    asio::co_spawn(
        io,
        agent::run_program(words, {}, std::chrono::seconds(60)),
        [&](std::exception_ptr const&, tl::expected<void, std::string> ended) {
            done = std::move(ended);
        }
    );
    io.run();
    if (!done)
        agent_report(fmt::format("{}: {}", fmt::join(words, " "), done.error()));
    return done.has_value();
}

} // namespace cpm::tools
