#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "core/fleet.hpp"
#include "core/time.hpp"

namespace cpm::projections {

/// A server as the API and the tools show it. `remaining`: what is left of an open standby time (told, because it runs on
/// the monotonic clock); `now`: the wall-clock time from which `standby.until` is counted.
boost::json::object to_json(
    core::Server const& server,
    core::Settings const& settings,
    core::milliseconds remaining,
    core::WallTime now
);

} // namespace cpm::projections
