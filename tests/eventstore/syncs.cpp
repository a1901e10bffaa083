#include "tests/eventstore/syncs.hpp"

#include <atomic>
#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace {

std::atomic<bool> left_out = false;
std::atomic<bool> for_ever = false;
std::atomic<int> until_failure = 0;
std::atomic<int> failures = 0;
std::function<void(int)> instead;

int sync(long call, int fd) {
    if (until_failure != 0) {
        int const left = --until_failure;
        if (left == 0)
            until_failure = for_ever ? 1 : 0;
        if (left == 0) {
            ++failures;
            errno = EIO;
            return -1;
        }
    }
    if (instead)
        instead(fd);
    return left_out || instead ? 0 : int(::syscall(call, fd));
}

} // namespace

extern "C" int fsync(int fd) {
    return sync(SYS_fsync, fd);
}

extern "C" int fdatasync(int fd) {
    return sync(SYS_fdatasync, fd);
}

void leave_out_syncs() {
    left_out = true;
}

void fail_sync(int n, bool for_good) {
    for_ever = for_good;
    until_failure = n;
}

int failed_syncs() {
    return failures;
}

void sync_by(std::function<void(int fd)> watcher) {
    instead = std::move(watcher);
}
