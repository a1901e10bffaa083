#pragma once

#include "http/door.hpp"
#include "http/tls_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <memory>

namespace cpm::http {

/// A socket, over TLS or plain, with the deadline of the phase it is in. The deadline is set once a
/// phase, so that a byte now and then buys nobody time; when it passes, what waits on the socket is
/// cancelled.
///
/// Operation: handshake() comes first; one read and one write may be under way at once. Whatever
/// they point to must live until they return.
/// Concurrency: the interface's thread. The last owner closes the socket.
class Link : public std::enable_shared_from_this<Link> {
  public:
    using ErrorCode = boost::system::error_code;
    using Buffers = std::array<asio::const_buffer, 2>;

    /// Without a context the link is plain.
    Link(Door& door, asio::ip::tcp::socket socket, TlsContext const& tls);
    ~Link();
    Link(Link const&) = delete;
    Link& operator=(Link const&) = delete;

    /// For its addresses.
    asio::ip::tcp::socket const& socket() const { return socket_; }
    bool is_secure() const { return tls_ != nullptr; }
    /// Whether the peer has said that it sends no more, or is gone: also when what it sent before
    /// was not read yet.
    bool has_left();

    /// Agrees on keys with the peer; at once when plain. False: there is nobody to talk to.
    asio::awaitable<bool> handshake();

    /// Reads what is there, at least a byte.
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer space, ErrorCode& error);
    /// Fills the space.
    asio::awaitable<ErrorCode> read(asio::mutable_buffer space);
    asio::awaitable<ErrorCode> write(Buffers buffers);

    /// Tells the peer that no more comes, waits until it has said the same, and drops what it still
    /// sends: closing a socket with unread bytes would make the system tell the peer that the
    /// connection broke, and lose the last answer. Ends with the phase at the latest.
    asio::awaitable<void> linger();
    /// Ends both directions, with TLS's own goodbye; a read that waits ends. Waits for nothing but
    /// room to send, until the phase ends.
    asio::awaitable<void> close();

    /// Begins a phase: after `limit` it has expired.
    void begin(core::milliseconds limit);
    /// No phase: a handler is at work, which has limits of its own.
    void pause();
    bool expired() const { return expired_; }

    /// The whole limit counts anew: the loop did not turn.
    void restart();

    /// Ends at once, whatever waits on it.
    void cut();

    /// Between two requests the connection is idle: a stop may end it at once.
    void set_idle(bool idle) { idle_ = idle; }
    /// The manager stops: ends an idle connection; another one ends after its answer.
    void stop();

  private:
    struct Tls;

    asio::awaitable<void> say_goodbye();
    void arm();
    void on_timer(std::uint64_t generation);

    Door& door_;
    asio::ip::tcp::socket socket_;
    std::unique_ptr<Tls> tls_;     ///< null: plain
    bool can_say_goodbye_ = false; ///< TLS is agreed on, and nothing half written
    asio::steady_timer timer_;
    core::milliseconds limit_{};
    std::uint64_t generation_ = 0; ///< of the armed deadline; an older one's handler is void
    bool running_ = false;
    bool expired_ = false;
    bool idle_ = false;
};

} // namespace cpm::http
