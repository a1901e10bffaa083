#pragma once

#include "http/head.hpp"
#include "http/message.hpp"
#include "http/route.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>

namespace cpm::http {

struct App;

// The compatible wake interface (HTTP 3.4), on a port of its own: for scripts that were written for
// a wake handler with these paths. Every wake is an ordinary power request.

/// Its route table.
std::span<Route const> compatible_routes();

/// Its credential is an API token in X-Auth-Token; from here on it is a bearer's, as everywhere. No
/// cookie counts. Refuses two of them, or one beside an Authorization.
Checked<void> take_auth_token(Request& request);

boost::asio::awaitable<Response>
compatible_status(App& app, Request const& request, Caller const& caller);
boost::asio::awaitable<Response>
compatible_wake(App& app, Request const& request, Caller const& caller);
boost::asio::awaitable<Response>
compatible_wake_all(App& app, Request const& request, Caller const& caller);

} // namespace cpm::http
