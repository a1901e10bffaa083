#pragma once

#include "core/fleet.hpp"
#include "core/settings.hpp"
#include "core/time.hpp"

#include <boost/json/object.hpp>

namespace cpm::projections {

/// A server as the API and the tools show it (HTTP 3.2). Durations are the effective ones: its own
/// or the default. What is not known (of an agent, a last heartbeat) is null; `None` is a status.
/// `remaining`: what is left of an open standby time (told, because it runs on the monotonic
/// clock), ignored without one; `now`: the wall-clock time from which `standby.until` is counted.
boost::json::object to_json(
    core::Server const& server,
    core::Settings const& settings,
    core::milliseconds remaining,
    core::WallTime now
);

/// What an administrator says of a server, as it stands in requests and events: durations that
/// follow the settings are null.
boost::json::object to_json(core::ServerConfig const& config);

/// {broadcast_address, ports, interface}, as configured: what is empty follows the default.
boost::json::object to_json(core::WakeSettings const& wake);

} // namespace cpm::projections
