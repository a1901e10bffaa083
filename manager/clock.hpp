#pragma once

#include "core/time.hpp"

namespace cpm::manager {

/// The only source of time. Safe from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual core::Now now() const = 0;
};

/// The machine's clocks: CLOCK_MONOTONIC for deadlines, the wall clock for people.
class SystemClock final : public Clock {
  public:
    core::Now now() const override;
};

} // namespace cpm::manager
