#pragma once

#include "manager/clock.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace cpm::http {

/// Answers on plain listening sockets while the log is read, before anybody can be served (HTTP
/// 3.6): /readyz says "verifying", /healthz that the process lives, all else 503
/// /problems/starting. Looks at nothing of a request but its first line; every answer closes its
/// connection.
///
/// Concurrency: has a thread of its own for as long as it lives, and shares nothing with others.
class WaitingRoom {
  public:
    /// Duplicates the sockets' descriptors; the acceptors stay their owner's, who must not accept
    /// meanwhile. An acceptor whose descriptor cannot be duplicated is not served. The clock, which
    /// any thread may ask, outlives it. Opens after `patience`: a start that is quick enough to
    /// wait for turns nobody away.
    WaitingRoom(
        std::vector<boost::asio::ip::tcp::acceptor*> const& acceptors,
        manager::Clock const& clock,
        std::chrono::milliseconds patience
    );
    WaitingRoom(WaitingRoom const&) = delete;
    WaitingRoom& operator=(WaitingRoom const&) = delete;
    /// Whoever is not answered yet is cut off, and asks again.
    ~WaitingRoom();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace cpm::http
