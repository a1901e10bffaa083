#pragma once

#include <boost/json/object.hpp>

#include "core/event.hpp"
#include "core/hash.hpp"

namespace cpm::projections {

/// An event as the API and the tools show it:
/// {sequence, decision, at, type, family, server_id, actor, cause, actual_status, data, hash}.
boost::json::object to_json(core::Event const& event, core::Hash const& hash);

/// The payload's own fields, by the API's names.
boost::json::object data_of(core::Payload const& payload);

} // namespace cpm::projections
