#include "http/name_lookup.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <system_error>
#include <thread>

namespace cpm::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kMostAtOnce = 16;

std::atomic<int> under_way{0};

/// Shared by a coroutine that waits and the thread that asks on its behalf; whichever ends first
/// leaves it to the other.
struct Shared {
    std::mutex mutex;
    asio::io_context* io = nullptr;      ///< null: nobody waits any more
    asio::steady_timer* timer = nullptr; ///< of the one who waits; for that thread alone
    std::optional<NameFound> found;
};

/// For as long as somebody waits.
class Waiting {
  public:
    Waiting(asio::io_context& io, asio::steady_timer& timer)
        : shared_(std::make_shared<Shared>()) {
        shared_->io = &io;
        shared_->timer = &timer;
    }
    Waiting(Waiting const&) = delete;
    Waiting& operator=(Waiting const&) = delete;
    ~Waiting() {
        std::lock_guard const lock(shared_->mutex);
        shared_->io = nullptr;
        shared_->timer = nullptr;
    }

    std::shared_ptr<Shared> const& shared() const { return shared_; }

  private:
    std::shared_ptr<Shared> shared_;
};

/// The thread of one lookup. It touches nothing of the manager's without the lock, and nothing at
/// all once nobody waits: the process may be ending.
void ask(
    std::shared_ptr<Shared> const& shared,
    NameLookup const& lookup,
    std::string const& host,
    std::uint16_t port
) {
    auto found = lookup(host, port);
    --under_way;
    std::lock_guard const lock(shared->mutex);
    if (!shared->io)
        return;
    shared->found = std::move(found);
    asio::post(*shared->io, [shared] {
        if (shared->timer)
            shared->timer->cancel();
    });
}

} // namespace

NameFound ask_system(std::string const& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    auto const failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (failed != 0)
        return {.endpoints = {}, .failure = ::gai_strerror(failed)};
    NameFound found;
    for (auto const* one = list; one; one = one->ai_next) {
        tcp::endpoint endpoint;
        if (one->ai_addrlen > endpoint.capacity())
            continue;
        endpoint.resize(one->ai_addrlen);
        std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
        endpoint.port(port);
        found.endpoints.push_back(endpoint);
    }
    ::freeaddrinfo(list);
    return found;
}

asio::awaitable<NameFound> look_up_name(
    asio::io_context& io,
    std::string host,
    std::uint16_t port,
    core::milliseconds limit,
    NameLookup lookup
) {
    boost::system::error_code is_name;
    auto const address = asio::ip::make_address(host, is_name);
    if (!is_name)
        co_return NameFound{.endpoints = {tcp::endpoint(address, port)}, .failure = {}};
    if (++under_way > kMostAtOnce) {
        --under_way;
        co_return NameFound{.endpoints = {}, .failure = "too many names are being looked up"};
    }
    asio::steady_timer timer(io, limit);
    Waiting const waiting(io, timer);
    try {
        std::thread asking(ask, waiting.shared(), std::move(lookup), host, port);
        asking.detach(); // tidy: allow detach: nothing cuts the system's lookup short
    } catch (std::system_error const& error) {
        --under_way;
        co_return NameFound{.endpoints = {}, .failure = error.what()};
    }
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    std::lock_guard const lock(waiting.shared()->mutex);
    auto& found = waiting.shared()->found;
    co_return found ? std::move(*found)
                    : NameFound{.endpoints = {}, .failure = "no name server answered in time"};
}

} // namespace cpm::http
