#include "tools/cpm-replay/interruption.hpp"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace cpm::replay {
namespace {

constexpr int kPatienceMilliseconds = 1000;

volatile std::sig_atomic_t stopped_by = 0;

extern "C" void note_signal(int number) {
    stopped_by = number;
}

} // namespace

void stop_on_signals() {
    struct sigaction action {};
    action.sa_handler = note_signal; // without SA_RESTART: it ends a wait
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    struct sigaction before {};
    if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) // nohup's
        sigaction(SIGHUP, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() {
    return stopped_by != 0;
}

void die_of_signal() {
    if (stopped_by == 0)
        return;
    std::signal(stopped_by, SIG_DFL);
    std::raise(stopped_by);
}

Watch::Watch(std::filesystem::path const& directory)
    : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (inotify_ >= 0)
        inotify_add_watch(inotify_, directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
}

Watch::~Watch() {
    if (inotify_ >= 0)
        close(inotify_);
}

void Watch::wait() {
    pollfd change{inotify_, POLLIN, 0}; // a negative descriptor is passed over
    poll(&change, 1, kPatienceMilliseconds);
    std::array<char, 4096> forgotten;
    while (inotify_ >= 0 && read(inotify_, forgotten.data(), forgotten.size()) > 0) {
    }
}

} // namespace cpm::replay
