#include "http/link.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>
#include <string>

namespace cpm::http {
namespace {

constexpr std::size_t kMaxRecord = 16 * 1024; ///< of TLS (RFC 8446 section 5.1)
constexpr std::size_t kMaxLingered = 256 * 1024;

auto into(boost::system::error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

} // namespace

struct Link::Tls {
    Tls(asio::ip::tcp::socket& socket, asio::ssl::context& context)
        : stream(socket, context) {}

    asio::ssl::stream<asio::ip::tcp::socket&> stream;
};

Link::Link(Door& door, asio::ip::tcp::socket socket, TlsContext const& tls)
    : door_(door)
    , socket_(std::move(socket))
    , tls_(tls ? std::make_unique<Tls>(socket_, *tls) : nullptr)
    , timer_(door.app.io) {
    door_.links.insert(this);
}

Link::~Link() {
    door_.links.erase(this);
    if (door_.stopping && door_.links.empty())
        door_.on_drained();
}

bool Link::has_left() {
    pollfd peer{socket_.native_handle(), POLLRDHUP, 0};
    return ::poll(&peer, 1, 0) != 0;
}

asio::awaitable<bool> Link::handshake() {
    if (!tls_)
        co_return true;
    ErrorCode error;
    co_await tls_->stream.async_handshake(asio::ssl::stream_base::server, into(error));
    can_say_goodbye_ = !error;
    co_return !error;
}

asio::awaitable<std::size_t> Link::read_some(asio::mutable_buffer space, ErrorCode& error) {
    if (tls_)
        co_return co_await tls_->stream.async_read_some(space, into(error));
    co_return co_await socket_.async_read_some(space, into(error));
}

asio::awaitable<Link::ErrorCode> Link::read(asio::mutable_buffer space) {
    ErrorCode error;
    if (tls_)
        co_await asio::async_read(tls_->stream, space, into(error));
    else
        co_await asio::async_read(socket_, space, into(error));
    co_return error;
}

asio::awaitable<Link::ErrorCode> Link::write(Buffers buffers) {
    ErrorCode error;
    if (!tls_) {
        co_await asio::async_write(socket_, buffers, into(error));
        co_return error;
    }
    // A stream of TLS makes a record and a packet of each buffer: a short answer becomes one.
    std::string joined;
    if (asio::buffer_size(buffers) <= kMaxRecord) {
        for (auto const& buffer : buffers)
            joined.append(static_cast<char const*>(buffer.data()), buffer.size());
        buffers = {asio::buffer(joined), {}};
    }
    co_await asio::async_write(tls_->stream, buffers, into(error));
    can_say_goodbye_ = can_say_goodbye_ && !error;
    co_return error;
}

/// The peer's own goodbye may end it early, and so may its data: nobody reads them any more.
asio::awaitable<void> Link::say_goodbye() {
    if (!can_say_goodbye_)
        co_return;
    can_say_goodbye_ = false;
    ErrorCode error;
    co_await tls_->stream.async_shutdown(into(error));
}

asio::awaitable<void> Link::linger() {
    co_await say_goodbye();
    ErrorCode error;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
    std::array<char, 4096> dropped;
    std::size_t count = 0;
    while (!error && !expired_ && count < kMaxLingered) {
        auto const space = asio::buffer(dropped);
        count += co_await socket_.async_read_some(space, into(error));
    }
}

asio::awaitable<void> Link::close() {
    ErrorCode error;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_receive, error);
    co_await say_goodbye();
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, error);
}

void Link::begin(core::milliseconds limit) {
    limit_ = limit;
    expired_ = false;
    running_ = true;
    arm();
}

void Link::pause() {
    running_ = false;
    ++generation_;
    timer_.cancel();
}

void Link::restart() {
    if (running_ && !expired_)
        arm();
}

void Link::stop() {
    if (idle_)
        socket_.cancel();
}

void Link::cut() {
    expired_ = true;
    ErrorCode error;
    socket_.close(error);
}

void Link::arm() {
    timer_.expires_after(limit_);
    auto self = weak_from_this(); // a connection that ended does not wait for its deadline
    timer_.async_wait([self, generation = ++generation_](boost::system::error_code error) {
        auto const link = self.lock();
        if (link && !error)
            link->on_timer(generation);
    });
}

void Link::on_timer(std::uint64_t generation) {
    if (generation != generation_)
        return;
    if (door_.has_stalled(door_.app.clock.now().mono)) {
        arm();
        return;
    }
    expired_ = true;
    socket_.cancel();
}

} // namespace cpm::http
