#include "http/manifest_waiters.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <variant>

namespace cpm::http {
namespace {

namespace asio = boost::asio;

/// Whether the credential with which a held call came is void from now on.
bool ends_calls(core::Event const& event) {
    return std::holds_alternative<core::AgentRevoked>(event.payload) ||
           std::holds_alternative<core::AgentJoined>(event.payload) ||
           std::holds_alternative<core::AgentTokenRotated>(event.payload) ||
           std::holds_alternative<core::ServerRemoved>(event.payload);
}

bool touches_all(core::Event const& event) {
    return std::holds_alternative<core::SettingsChanged>(event.payload) ||
           std::holds_alternative<core::RollbackAccepted>(event.payload);
}

} // namespace

ManifestWaiters::ManifestWaiters(asio::io_context& io)
    : io_(io) {}

asio::awaitable<WaitResult> ManifestWaiters::wait(core::ServerId server, core::milliseconds limit) {
    if (stopping_)
        co_return WaitResult::Stopping;
    Waiter waiter{asio::steady_timer(io_, limit)};
    Registration const registration(waiters_, server, waiter);
    boost::system::error_code error;
    co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    co_return waiter.result;
}

ManifestWaiters::Registration::Registration(Waiters& waiters, core::ServerId server, Waiter& waiter)
    : waiters_(waiters)
    , at_(waiters.emplace(server, &waiter)) {}

ManifestWaiters::Registration::~Registration() {
    waiters_.erase(at_);
}

void ManifestWaiters::on_published(manager::Publication const& publication) {
    if (std::ranges::any_of(publication.events, touches_all))
        touch_all();
    for (auto const& event : publication.events) {
        auto const result = ends_calls(event) ? WaitResult::Ended : WaitResult::Touched;
        auto const [first, last] = waiters_.equal_range(event.server);
        for (auto it = first; it != last; ++it)
            wake(*it->second, result);
    }
    for (auto const& [relay, asks] : publication.wake_asks) {
        auto const [first, last] = waiters_.equal_range(relay);
        for (auto it = first; it != last; ++it)
            wake(*it->second, WaitResult::Touched);
    }
}

void ManifestWaiters::touch_all() {
    for (auto const& [server, waiter] : waiters_)
        wake(*waiter, WaitResult::Touched);
}

void ManifestWaiters::stop() {
    stopping_ = true;
    for (auto const& [server, waiter] : waiters_)
        wake(*waiter, WaitResult::Stopping);
}

void ManifestWaiters::wake(Waiter& waiter, WaitResult result) {
    // What ends the call outweighs what only touches it.
    if (waiter.result != WaitResult::Ended)
        waiter.result = result;
    waiter.timer.cancel();
}

} // namespace cpm::http
