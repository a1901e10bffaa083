#include "manager/clock.hpp"

#include <ctime>

namespace cpm::manager {
namespace {

std::chrono::nanoseconds read(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

} // namespace

core::Now SystemClock::now() const {
    auto const mono = std::chrono::steady_clock::now().time_since_epoch();
    auto const wall = std::chrono::system_clock::now();
    return {
        .mono = core::MonoTime{std::chrono::duration_cast<std::chrono::nanoseconds>(mono)},
        .wall = std::chrono::floor<std::chrono::microseconds>(wall),
    };
}

std::chrono::nanoseconds SystemClock::suspended() const {
    // Both clocks at one moment: being stopped in between would look like a suspend.
    constexpr auto kAtOnce = std::chrono::milliseconds(10);
    while (true) {
        auto const before = read(CLOCK_MONOTONIC);
        auto const boottime = read(CLOCK_BOOTTIME);
        auto const after = read(CLOCK_MONOTONIC);
        if (after - before < kAtOnce)
            return boottime - after;
    }
}

} // namespace cpm::manager
