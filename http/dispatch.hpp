#pragma once

#include "http/door.hpp"
#include "http/head_check.hpp"

#include <tl/expected.hpp>

namespace cpm::http {

/// A request that may go on to its handler.
struct Admitted {
    Route const* route = nullptr;
    Caller caller;
    bool is_agent = false; ///< it takes an agent's place
};

/// What the head alone decides: the route, who calls, whether they may, whether the body is small
/// enough. Puts the route's captures into the request. Fails with the answer.
///
/// HEAD is a GET whose answer has no body, but for agents: what their GET hands out, an order, is
/// an event that says so, and nobody would have got it.
tl::expected<Admitted, Response> admit(Door& door, Interface interface, CheckedHead& head);

/// Calls the handler, if the caller's credential still counts. Whatever the handler throws becomes
/// a 500 and a line in the log.
asio::awaitable<Response> dispatch(Door& door, Request const& request, Admitted const& admitted);

/// The answer to what the door refuses; the connection closes after it.
Response refusal(Refusal const& refused);

} // namespace cpm::http
