#pragma once

#include <chrono>
#include <concepts>
#include <thread>

namespace test_support {

/// Waits for what another thread, process or the kernel does: true as soon as `holds()` is, false
/// when it still is not after `patience`. A test asserts the result; none sleeps a fixed time.
template <std::predicate Condition>
[[nodiscard]] bool
wait_until(Condition holds, std::chrono::milliseconds patience = std::chrono::seconds{10}) {
    auto const deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

} // namespace test_support
