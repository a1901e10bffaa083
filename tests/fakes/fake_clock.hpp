#pragma once

#include "manager/clock.hpp"

#include <atomic>
#include <chrono>

namespace cpm::test {

/// Time as the test tells it. Safe from any thread.
class FakeClock final : public manager::Clock {
  public:
    core::Now now() const override {
        return {
            core::MonoTime{std::chrono::nanoseconds{mono_.load()}},
            core::WallTime{std::chrono::microseconds{wall_.load()}},
        };
    }

    std::chrono::nanoseconds suspended() const override {
        return std::chrono::nanoseconds{suspended_.load()};
    }

    /// Time passes, on both clocks.
    void advance(std::chrono::nanoseconds by) {
        mono_ += by.count();
        wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
    }
    void advance_to(core::MonoTime to) {
        if (to > now().mono)
            advance(to - now().mono);
    }
    /// The manager's machine is suspended: its monotonic clock stands still.
    void suspend(std::chrono::nanoseconds by) {
        suspended_ += by.count();
        wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
    }
    /// Somebody sets the wall clock; deadlines must not notice.
    void step_wall(std::chrono::microseconds by) { wall_ += by.count(); }
    /// The machine was booted: its monotonic clock begins again.
    void boot() {
        mono_ = std::chrono::nanoseconds{std::chrono::seconds{5}}.count();
        suspended_ = 0;
    }

  private:
    // 2026-11-21T09:00:00Z, an hour after the boot.
    std::atomic<std::int64_t> mono_{3'600'000'000'000};
    std::atomic<std::int64_t> suspended_{0};
    std::atomic<std::int64_t> wall_{1'795'251'600'000'000};
};

} // namespace cpm::test
