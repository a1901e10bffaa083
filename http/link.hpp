#pragma once

#include "http/door.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>

namespace cpm::http {

/// A socket with the deadline of the phase it is in. The deadline is set once a phase, so that a
/// byte now and then buys nobody time; when it passes, what waits on the socket is cancelled.
///
/// Concurrency: the interface's thread. The last owner closes the socket.
class Link : public std::enable_shared_from_this<Link> {
  public:
    Link(Door& door, asio::ip::tcp::socket socket);
    ~Link();
    Link(Link const&) = delete;
    Link& operator=(Link const&) = delete;

    asio::ip::tcp::socket& socket() { return socket_; }

    /// Begins a phase: after `limit` it has expired.
    void begin(core::milliseconds limit);
    /// No phase: a handler is at work, which has limits of its own.
    void pause();
    bool expired() const { return expired_; }

    /// The whole limit counts anew: the loop did not turn.
    void restart();

    /// Between two requests a stop may end the connection at once.
    void set_idle(bool idle) { idle_ = idle; }
    void stop();

  private:
    void arm();
    void on_timer(std::uint64_t generation);

    Door& door_;
    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    core::milliseconds limit_{};
    std::uint64_t generation_ = 0; ///< of the armed deadline; an older one's handler is void
    bool running_ = false;
    bool expired_ = false;
    bool idle_ = false;
};

} // namespace cpm::http
