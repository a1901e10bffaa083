#include "agent/clock.hpp"

#include <ctime>

namespace cpm::agent {
namespace {

microseconds read(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::chrono::duration_cast<microseconds>(
        seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)
    );
}

} // namespace

Clocks read_clocks() {
    constexpr auto kAtOnce = std::chrono::milliseconds(10);
    while (true) {
        Clocks const clocks{.boottime = read(CLOCK_BOOTTIME), .monotonic = read(CLOCK_MONOTONIC)};
        if (read(CLOCK_BOOTTIME) - clocks.boottime < kAtOnce)
            return clocks;
    }
}

seconds read_wall_clock() {
    return std::chrono::floor<seconds>(read(CLOCK_REALTIME));
}

} // namespace cpm::agent
