#pragma once

#include "core/fleet.hpp"
#include "core/time.hpp"
#include "projections/transitions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cpm::projections {

// Why a server has its status, as fields: for the API and the tools alike.

/// Something that happens by itself if nothing else does.
struct Pending {
    std::string_view kind; ///< "standby", "silence", "wake"
    core::WallTime at;     ///< as the log's times say; deadlines themselves run on another clock
    core::Sequence about;  ///< the request or heartbeat
    std::string text;
};

/// In a fixed order: standby, silence, wake.
std::vector<Pending> pending_of(core::Server const& server);

/// [{kind, at, about, text}]
boost::json::array to_json(std::vector<Pending> const& pending);

/// What the status table looked at (status model 1.2): {power, previous, current, request, boot,
/// blocked_by, adopted, set_aside, manifest}.
boost::json::object inputs_json(core::Server const& server);

/// {sequence, at, server_id, from, to, reason, actor, cause, events}
boost::json::object to_json(Transition const& transition);

} // namespace cpm::projections
