#pragma once

#include "core/time.hpp"

namespace cpm::manager {

/// The only source of time. Safe from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual core::Now now() const = 0;
    /// How long this machine has been suspended since its boot: the monotonic clock leaves it out.
    virtual std::chrono::nanoseconds suspended() const = 0;
};

/// The machine's clocks: CLOCK_MONOTONIC for deadlines, the wall clock for people.
class SystemClock final : public Clock {
  public:
    core::Now now() const override;
    std::chrono::nanoseconds suspended() const override;
};

} // namespace cpm::manager
