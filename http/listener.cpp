#include "http/listener.hpp"

#include "http/forwarded.hpp"
#include "http/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <charconv>

namespace cpm::http {
namespace {

using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

/// Those turned away are told so for a second at most, this many at once; more are just closed.
constexpr std::size_t kMaxTurnedAway = 64;

std::optional<tcp::endpoint> parse_endpoint(std::string_view text) {
    auto const colon = text.rfind(':');
    if (colon == text.npos)
        return std::nullopt;
    auto const port_text = text.substr(colon + 1);
    std::uint16_t port = 0;
    auto const* const last = port_text.data() + port_text.size();
    auto const [end, fault] = std::from_chars(port_text.data(), last, port);
    if (fault != std::errc() || end != last)
        return std::nullopt;
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    ErrorCode error;
    auto const address = asio::ip::make_address(std::string(host), error);
    if (error)
        return std::nullopt;
    return tcp::endpoint(address, port);
}

/// A connection's end: what it threw is no other connection's matter.
struct Ended {
    Door* door;

    void operator()(std::exception_ptr failure) const {
        try {
            if (failure)
                std::rethrow_exception(failure);
        } catch (std::exception const& error) {
            door->report(fmt::format("a connection failed: {}", error.what()));
        }
    }
};

void welcome(Door& door, tcp::socket socket, Entrance const& entrance) {
    Ended const ended{&door};
    ErrorCode error;
    auto const remote = socket.remote_endpoint(error).address();
    if (error)
        return; // it is gone already
    socket.set_option(tcp::no_delay(true), error);
    auto const text = address_text(remote);
    bool const loopback = remote.is_loopback() || text.starts_with("127.");
    bool const is_many = loopback || door.proxies.contain(remote);
    auto place = Connections::take(door.connections, text, is_many);
    if (auto* const granted = std::get_if<Connections::Place>(&place))
        asio::co_spawn(
            door.app.io,
            serve(door, entrance.interface, std::move(socket), entrance.tls, std::move(*granted)),
            ended
        );
    else if (door.links.size() < door.connections->count() + kMaxTurnedAway)
        asio::co_spawn(
            door.app.io,
            turn_away(door, std::move(socket), entrance.tls, std::get<std::string>(place)),
            ended
        );
}

} // namespace

core::Result<tcp::acceptor> listen_on(asio::io_context& io, std::string_view address_and_port) {
    auto const endpoint = parse_endpoint(address_and_port);
    if (!endpoint)
        return core::fail(
            core::ErrorCode::Validation,
            fmt::format("{} is no address and port; expected 127.0.0.1:8080", address_and_port)
        );
    tcp::acceptor acceptor(io);
    ErrorCode error;
    acceptor.open(endpoint->protocol(), error);
    if (!error)
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error)
        acceptor.bind(*endpoint, error);
    if (!error)
        acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error)
        return core::fail(
            core::ErrorCode::Conflict,
            fmt::format(
                "cannot listen on {}: {}; stop what listens there, or configure another address",
                address_and_port,
                error.message()
            )
        );
    return acceptor;
}

std::string endpoint_text(tcp::endpoint const& endpoint) {
    auto const address = endpoint.address().to_string();
    return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                      : fmt::format("{}:{}", address, endpoint.port());
}

asio::awaitable<void> accept_all(Door& door, Entrance& entrance) {
    auto& acceptor = entrance.acceptor;
    asio::steady_timer pause(door.app.io);
    bool was_failing = false;
    while (acceptor.is_open()) {
        tcp::socket socket(door.app.io);
        ErrorCode error;
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            was_failing = false;
            welcome(door, std::move(socket), entrance);
            continue;
        }
        if (error == asio::error::operation_aborted || error == asio::error::connection_aborted)
            continue; // closed by stop(), or the peer left before it was its turn
        // No descriptors or no memory: the backlog holds the peers, and trying at once again would
        // only burn the processor that could free some.
        if (!was_failing)
            door.report(fmt::format("cannot accept connections: {}", error.message()));
        was_failing = true;
        pause.expires_after(manager::kTick);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

} // namespace cpm::http
