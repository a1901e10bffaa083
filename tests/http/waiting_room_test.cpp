// Before anybody can be served, the door says so (HTTP 3.6).
#include "http/listener.hpp"
#include "http/waiting_room.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace cpm::http;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// All that comes back until the connection ends.
std::string ask(tcp::endpoint const& door, std::string const& request) {
    asio::io_context io;
    tcp::socket socket(io);
    socket.connect(door);
    asio::write(socket, asio::buffer(request));
    socket.shutdown(tcp::socket::shutdown_send);
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    CHECK(error == asio::error::eof);
    return answer;
}

bool contains(std::string const& text, std::string const& part) {
    CAPTURE(text);
    return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("waiting room: readiness says verifying, all else is told to ask again (3.6)") {
    cpm::manager::SystemClock const clock;
    asio::io_context io;
    auto acceptor = listen_on(io, "127.0.0.1:0").value();
    auto const door = acceptor.local_endpoint();
    {
        WaitingRoom const room({&acceptor}, clock, {});
        auto const ready = ask(door, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(ready.starts_with("HTTP/1.1 503 "));
        CHECK(contains(ready, "\r\nConnection: close\r\n"));
        CHECK(ready.ends_with("\r\n\r\n{\"status\":\"verifying\"}"));
        auto const alive = ask(door, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(alive.starts_with("HTTP/1.1 200 "));
        for (auto const* const line :
             {"PUT /api/v1/servers/a/power HTTP/1.1",
              "POST /agent/v1/heartbeat HTTP/1.1",
              "",
              "x"}) {
            auto const told = ask(door, std::string(line) + "\r\n\r\n{}");
            CHECK(told.starts_with("HTTP/1.1 503 "));
            CHECK(contains(told, "/problems/starting"));
            CHECK(contains(told, "\r\nRetry-After: 1\r\n"));
        }
        auto const head = ask(door, "HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(head.ends_with("\r\n\r\n"));
    }
    // Whoever comes now waits for the owner of the socket.
    asio::io_context caller;
    tcp::socket socket(caller);
    socket.connect(door);
    auto const accepted = acceptor.accept();
    CHECK(accepted.is_open());
}

TEST_CASE("waiting room: who says nothing does not hold up the start (3.6)") {
    cpm::manager::SystemClock const clock;
    asio::io_context io;
    auto acceptor = listen_on(io, "127.0.0.1:0").value();
    tcp::socket silent(io);
    {
        WaitingRoom const room({&acceptor}, clock, {});
        silent.connect(acceptor.local_endpoint());
        ask(acceptor.local_endpoint(), "GET /readyz HTTP/1.1\r\n\r\n");
    }
    std::string rest;
    boost::system::error_code error;
    asio::read(silent, asio::dynamic_buffer(rest), error);
    CHECK(rest.empty());
}
