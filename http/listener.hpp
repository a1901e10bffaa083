#pragma once

#include "core/result.hpp"
#include "http/door.hpp"
#include "http/tls_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string_view>

namespace cpm::http {

/// Binds "ADDRESS:PORT" and listens. Fails with Validation or Conflict (Server::listen).
core::Result<asio::ip::tcp::acceptor>
listen_on(asio::io_context& io, std::string_view address_and_port);

/// "127.0.0.1:8080", "[::1]:8080".
std::string endpoint_text(asio::ip::tcp::endpoint const& endpoint);

/// Where connections come in.
struct Entrance {
    asio::ip::tcp::acceptor acceptor;
    TlsContext tls{}; ///< null: plain HTTP
    Interface interface = Interface::Own;
};

/// Accepts until the acceptor is closed.
asio::awaitable<void> accept_all(Door& door, Entrance& entrance);

} // namespace cpm::http
