#pragma once

#include "core/ids.hpp"
#include "core/status.hpp"
#include "core/time.hpp"
#include "projections/explanation.hpp"

#include <chrono>
#include <optional>
#include <unordered_map>
#include <vector>

namespace cpm::replay {

/// From when on a server had a status, and why.
struct TimelineEntry {
    core::WallTime at;
    std::optional<core::ActualStatus> status; ///< none: it was removed
    projections::Reason reason;
};

/// By server, in the order in which it happened.
using Timelines = std::unordered_map<core::ServerId, std::vector<TimelineEntry>>;

/// A span of time in which a server had one status and would have had another.
struct Difference {
    core::ServerId server;
    core::WallTime from;
    std::optional<core::WallTime> until; ///< none: to the end of the log
    std::optional<core::ActualStatus> was;
    std::optional<core::ActualStatus> would_be;
    projections::Reason reason; ///< why it would be
};

/// What is shorter is no difference: times of the log are not more exact than this.
inline constexpr std::chrono::milliseconds kSameTime{300};

/// Where two histories differ, in the order of time.
std::vector<Difference> differences(Timelines const& was, Timelines const& would_be);

} // namespace cpm::replay
