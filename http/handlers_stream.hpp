#pragma once

#include "http/app.hpp"

namespace cpm::http {

/// GET /api/v1/stream (HTTP 3.2): Server-Sent Events. Access::Viewer.
asio::awaitable<Response> get_stream(App& app, Request const& request, Caller const& caller);

} // namespace cpm::http
