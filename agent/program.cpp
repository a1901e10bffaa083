#include "agent/program.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cpm::agent {
namespace {

namespace asio = boost::asio;
using Result = tl::expected<void, std::string>;

constexpr auto kGrace = std::chrono::seconds(5);
constexpr auto kLookAgain = std::chrono::milliseconds(100);

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// The process, or why there is none.
tl::expected<pid_t, std::string>
spawn(std::vector<std::string> arguments, std::vector<std::string> variables) {
    for (char** variable = environ; *variable; ++variable)
        variables.emplace_back(*variable);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    );
    pid_t process = 0;
    int const error = ::posix_spawn(
        &process,
        arguments.front().c_str(),
        &actions,
        &attributes,
        pointers(arguments).data(),
        pointers(variables).data()
    );
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return tl::make_unexpected(fmt::format("cannot be started: {}", std::strerror(error)));
    return process;
}

Result result_of(int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return {};
    if (WIFEXITED(status))
        return tl::make_unexpected(fmt::format("exit status {}", WEXITSTATUS(status)));
    return tl::make_unexpected(fmt::format("ended by signal {}", WTERMSIG(status)));
}

/// Ends the group at its limits. Shared with its timer's handler, which may be on its way when the
/// process ends.
struct Limits : std::enable_shared_from_this<Limits> {
    Limits(asio::any_io_executor const& executor, pid_t process)
        : timer(executor)
        , group(process) {}

    void arm(std::chrono::seconds limit, int signal) {
        timer.expires_after(limit);
        timer.async_wait([self = shared_from_this(), signal](boost::system::error_code error) {
            if (error || self->ended)
                return;
            self->overrun = true;
            ::kill(-self->group, signal);
            if (signal == SIGTERM)
                self->arm(kGrace, SIGKILL);
        });
    }

    asio::steady_timer timer;
    pid_t group;
    bool overrun = false;
    bool ended = false;
};

} // namespace

asio::awaitable<Result> run_program(
    std::vector<std::string> arguments,
    std::vector<std::string> variables,
    std::chrono::seconds limit
) {
    auto const executor = co_await asio::this_coro::executor;
    auto const process = spawn(std::move(arguments), std::move(variables));
    if (!process)
        co_return tl::make_unexpected(process.error());
    auto const limits = std::make_shared<Limits>(executor, *process);
    limits->arm(limit, SIGTERM);
    int const fd = static_cast<int>(::syscall(SYS_pidfd_open, *process, 0));
    if (fd >= 0) {
        asio::posix::stream_descriptor ended(executor, fd);
        co_await ended.async_wait(
            asio::posix::stream_descriptor::wait_read, asio::as_tuple(asio::use_awaitable)
        );
    }
    // Without such a descriptor (an old kernel, too many open files) it is looked at again and
    // again: the heartbeats must go on meanwhile.
    int status = 0;
    asio::steady_timer again(executor);
    pid_t found = 0;
    while ((found = ::waitpid(*process, &status, WNOHANG)) == 0) {
        again.expires_after(kLookAgain);
        co_await again.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    limits->ended = true;
    limits->timer.cancel();
    if (limits->overrun)
        co_return tl::make_unexpected(fmt::format("took longer than {} s", limit.count()));
    if (found < 0)
        co_return tl::make_unexpected(fmt::format("its end was not seen: {}", std::strerror(errno))
        );
    co_return result_of(status);
}

} // namespace cpm::agent
