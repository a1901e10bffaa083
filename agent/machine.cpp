#include "agent/machine.hpp"

#include "agent/files.hpp"
#include "agent/program.hpp"
#include "agent/wire.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <unistd.h>

namespace cpm::agent {
namespace {

constexpr std::chrono::seconds kPowerLimit{60};

} // namespace

std::string read_hold(std::filesystem::path const& file) {
    if (::access(file.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return {};
    auto const text = read_file(file);
    if (!text)
        return plain_line(fmt::format("hold: {}", text.error()));
    return plain_line("hold: " + text->substr(0, text->find('\n')));
}

boost::asio::awaitable<HooksEnd> CommandMachine::prepare() {
    return run_hooks(config_.hooks_directory, config_.hook_time_limit);
}

boost::asio::awaitable<tl::expected<void, std::string>> CommandMachine::go_down(OffMethod method) {
    auto arguments = config_.power_command;
    std::vector<std::string> variables{fmt::format("CPM_OFF_METHOD={}", to_string(method))};
    auto done = co_await run_program(std::move(arguments), std::move(variables), kPowerLimit);
    if (!done)
        co_return tl::make_unexpected("power command: " + done.error());
    co_return done;
}

} // namespace cpm::agent
