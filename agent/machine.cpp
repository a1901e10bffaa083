#include "agent/machine.hpp"

#include "agent/clock.hpp"
#include "agent/files.hpp"
#include "agent/program.hpp"
#include "agent/wire.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <sys/stat.h>

namespace cpm::agent {
namespace {

constexpr std::chrono::seconds kPowerLimit{60};

} // namespace

std::string read_hold(std::filesystem::path const& file) {
    // Not followed: a link that leads nowhere is a hold that cannot be read, and so a hold.
    struct stat status {};
    if (::lstat(file.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return {};
    auto const text = read_file(file);
    if (!text)
        return plain_line(fmt::format("hold: {}", text.error()));
    return plain_line("hold: " + text->substr(0, text->find('\n')));
}

void CommandMachine::acted_before() {
    given_up_ = read_clocks().boottime + config_.act_limit;
}

bool CommandMachine::take_cancelled() {
    bool const is_over = given_up_ && read_clocks().boottime >= *given_up_;
    if (is_over)
        given_up_.reset();
    return is_over;
}

boost::asio::awaitable<HooksEnd> CommandMachine::prepare() {
    return run_hooks(config_.hooks_directory, config_.hook_time_limit);
}

boost::asio::awaitable<tl::expected<void, std::string>> CommandMachine::go_down(OffMethod method) {
    auto arguments = config_.power_command;
    if (auto const owned = check_root_owns(arguments.front()); !owned)
        co_return tl::make_unexpected("power command: " + owned.error());
    std::vector<std::string> variables{fmt::format("CPM_OFF_METHOD={}", to_string(method))};
    auto done = co_await run_program(std::move(arguments), std::move(variables), kPowerLimit);
    if (!done)
        co_return tl::make_unexpected("power command: " + done.error());
    co_return done;
}

} // namespace cpm::agent
