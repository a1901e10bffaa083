#include "http/gate.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cpm::http {

namespace asio = boost::asio;

asio::awaitable<std::unique_ptr<Gate::Pass>> Gate::enter(std::string caller) {
    auto const waiter =
        waiting_.emplace(waiting_.end(), std::move(caller), asio::steady_timer(io_, kPatience));
    let_in();
    boost::system::error_code error;
    if (!waiter->has_place)
        co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    std::unique_ptr<Pass> pass;
    if (waiter->has_place)
        pass = std::make_unique<Pass>(*this, std::move(waiter->caller));
    waiting_.erase(waiter);
    co_return pass;
}

std::size_t Gate::held_by(std::string const& caller) const {
    auto const found = held_.find(caller);
    return found == held_.end() ? 0 : found->second;
}

void Gate::leave(std::string const& caller) {
    auto const held = held_.find(caller);
    if (--held->second == 0)
        held_.erase(held);
    ++free_;
    let_in();
}

void Gate::let_in() {
    while (free_ > 0) {
        Waiter* next = nullptr;
        auto fewest = most_of_one_;
        for (auto& waiter : waiting_) {
            auto const held = held_by(waiter.caller);
            if (waiter.has_place || held >= fewest)
                continue;
            next = &waiter;
            fewest = held;
        }
        if (!next)
            return;
        next->has_place = true;
        ++held_[next->caller];
        --free_;
        next->timer.cancel();
    }
}

} // namespace cpm::http
