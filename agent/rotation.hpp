#pragma once

#include "agent/values.hpp"

#include <optional>

namespace cpm::agent {

/// When the agent asks for a new token in the place of the one it has (HTTP 3.3): a month after it
/// got that, some of its own week later, so that those that joined together do not ask together;
/// and when only the previous one opened the door. Pure; told the clocks.
class Rotation {
  public:
    static constexpr std::chrono::hours kAge{30 * 24};
    static constexpr std::chrono::hours kSpread{7 * 24};
    static constexpr std::chrono::hours kPause{1}; ///< between two attempts

    /// `since`: when the token was got, in seconds since 1970; 0: not known. `spread`: this agent's
    /// own, from 0 to kSpread.
    Rotation(seconds since, seconds spread)
        : since_(since)
        , spread_(spread) {}

    /// `now`: seconds since 1970. A token from the future was got under a wrong clock, so nothing
    /// is known of its age.
    bool is_due(seconds now, microseconds boottime, bool only_previous_works) const {
        if (attempted_ && boottime - *attempted_ < kPause)
            return false;
        bool const is_old = now - since_ >= kAge + spread_ || since_ > now + kAge;
        return is_old || only_previous_works;
    }
    void attempted(microseconds boottime) { attempted_ = boottime; }
    void succeeded(seconds now) { since_ = now; }

  private:
    seconds since_;
    seconds spread_;
    std::optional<microseconds> attempted_;
};

} // namespace cpm::agent
