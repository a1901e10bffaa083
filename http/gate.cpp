#include "http/gate.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cpm::http {

namespace asio = boost::asio;

asio::awaitable<std::unique_ptr<Gate::Pass>> Gate::enter() {
    if (free_ > 0) {
        --free_;
        co_return std::make_unique<Pass>(*this);
    }
    auto const waiter = waiting_.emplace(waiting_.end(), asio::steady_timer(io_, kPatience));
    boost::system::error_code error;
    co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    bool const has_place = waiter->has_place;
    waiting_.erase(waiter);
    co_return has_place ? std::make_unique<Pass>(*this) : nullptr;
}

/// The place goes to the first that has none yet.
void Gate::leave() {
    for (auto& waiter : waiting_)
        if (!waiter.has_place) {
            waiter.has_place = true;
            waiter.timer.cancel();
            return;
        }
    ++free_;
}

} // namespace cpm::http
