#include "manager/clock.hpp"

namespace cpm::manager {

core::Now SystemClock::now() const {
    auto const mono = std::chrono::steady_clock::now().time_since_epoch();
    auto const wall = std::chrono::system_clock::now();
    return {
        .mono = core::MonoTime{std::chrono::duration_cast<std::chrono::nanoseconds>(mono)},
        .wall = std::chrono::floor<std::chrono::microseconds>(wall),
    };
}

} // namespace cpm::manager
