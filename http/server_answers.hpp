#pragma once

#include "core/fleet.hpp"
#include "core/result.hpp"
#include "http/app.hpp"
#include "manager/turn.hpp"

#include <boost/json/object.hpp>

namespace cpm::http {

// A server in answers: as the interface's read model has it, and as a decision left it.

boost::json::object server_json(App const& app, core::Server const& server);
boost::json::object server_json(manager::Turn const& turn, core::Server const& server);

/// The server a path names ("/api/v1/servers/{id}…"), or NotFound.
core::Result<core::ServerId> named_server(Request const& request);

} // namespace cpm::http
