#pragma once

#include "http/connections.hpp"
#include "http/door.hpp"
#include "http/tls_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace cpm::http {

/// Serves one connection until it ends: request after request, in order, one at a time. Plain
/// without a context.
asio::awaitable<void> serve(
    Door& door,
    Interface interface,
    asio::ip::tcp::socket socket,
    TlsContext tls,
    Connections::Place place
);

/// Tells one that got no place which limit is reached, and closes.
asio::awaitable<void>
turn_away(Door& door, asio::ip::tcp::socket socket, TlsContext tls, std::string limit);

} // namespace cpm::http
