// The timer wheel against a sorted multimap that keeps the same timers, over random histories
// (status model 1.5). The seed is printed; CPM_SEED repeats it.
#include "core/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

using cpm::core::MonoTime;
using cpm::core::TimerId;
using cpm::core::TimerWheel;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kAllowed = milliseconds(10);

std::uint64_t seed() {
    char const* const given = std::getenv("CPM_SEED");
    return given != nullptr ? std::stoull(given) : std::random_device{}();
}

// A wheel and, beside it, its timers in a sorted multimap (equal keys keep the order of insertion).
// It checks each firing as it happens, and what is left after each advance.
class Comparison {
  public:
    explicit Comparison(std::uint64_t seed)
        : random_(seed)
        , now_(up_to_power_of_two(55))
        , wheel_(now_) {}

    void step() {
        switch (below(8)) {
        case 0:
        case 1:
        case 2: schedule(); break;
        case 3: cancel(); break;
        case 4: advance(now_ + nanoseconds(below(30'000'000))); break;
        case 5: advance(now_ + up_to_power_of_two(50)); break;
        case 6: advance(now_ - std::min(up_to_power_of_two(40), now_.time_since_epoch())); break;
        case 7: advance(wheel_.next_due().value_or(now_)); break;
        }
        compare_rest();
    }

    [[nodiscard]] std::uint64_t fired() const { return fired_; }

  private:
    struct Waiting {
        std::uint64_t payload;
        TimerId id;
    };
    using Model = std::multimap<MonoTime, Waiting>;

    std::int64_t below(std::int64_t limit) {
        return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_);
    }

    // Every order of magnitude is as likely as any other.
    nanoseconds up_to_power_of_two(int highest) {
        return nanoseconds(below(std::int64_t{1} << below(highest + 1)));
    }

    void schedule() {
        MonoTime deadline = now_;
        switch (below(5)) {
        case 0: deadline += up_to_power_of_two(61); break;
        case 1: deadline += up_to_power_of_two(40); break;
        case 2: deadline += kAllowed * below(600); break;
        case 3: deadline -= std::min(up_to_power_of_two(40), now_.time_since_epoch()); break;
        case 4: // the same deadline as another
            deadline = waiting_.empty() ? now_ : waiting_.rbegin()->first;
            break;
        }
        std::uint64_t const payload = ++last_payload_;
        TimerId const id = wheel_.schedule(deadline, payload);
        (advancing_ ? during_advance_ : waiting_).insert({deadline, {payload, id}});
        ids_.push_back(id);
    }

    // Any id ever given out: most are stale.
    void cancel() {
        if (ids_.empty()) {
            return;
        }
        auto const back = std::min<std::int64_t>(static_cast<std::int64_t>(ids_.size()), 40);
        TimerId const id = *(ids_.end() - 1 - below(back));
        wheel_.cancel(id);
        auto const same = [&](Model::value_type const& timer) { return timer.second.id == id; };
        std::erase_if(waiting_, same);
        std::erase_if(during_advance_, same);
    }

    void advance(MonoTime told) {
        now_ = std::max(now_, told);
        advancing_ = true;
        wheel_.advance(told, [this](std::uint64_t payload) { on_fired(payload); });
        advancing_ = false;
        if (!waiting_.empty()) {
            REQUIRE(waiting_.begin()->first > now_ - kAllowed);
        }
        waiting_.merge(during_advance_);
    }

    void on_fired(std::uint64_t payload) {
        REQUIRE_FALSE(waiting_.empty());
        auto const first = waiting_.begin();
        REQUIRE(first->second.payload == payload);
        REQUIRE(first->first <= now_);
        waiting_.erase(first);
        ++fired_;
        if (below(3) == 0) {
            schedule();
        }
        if (below(3) == 0) {
            cancel();
        }
    }

    void compare_rest() {
        REQUIRE(wheel_.size() == waiting_.size());
        auto const due = wheel_.next_due();
        REQUIRE(due.has_value() == !waiting_.empty());
        if (due) {
            MonoTime const first = waiting_.begin()->first;
            REQUIRE(*due < std::max(first, now_) + kAllowed);
            // Time must go on: who advances as told does not turn on the spot.
            if (first > now_) {
                REQUIRE(*due > now_);
            }
        }
    }

    std::mt19937_64 random_;
    MonoTime now_;
    TimerWheel wheel_;
    Model waiting_;
    Model during_advance_;
    bool advancing_ = false;
    std::vector<TimerId> ids_;
    std::uint64_t last_payload_ = 0;
    std::uint64_t fired_ = 0;
};

} // namespace

TEST_CASE("timer wheel: over random histories it does what a sorted list does (1.5)") {
    std::uint64_t const first_seed = seed();
    MESSAGE("seed ", first_seed, " (CPM_SEED repeats it)");
    std::uint64_t fired = 0;
    for (std::uint64_t history = 0; history < 300; ++history) {
        CAPTURE(history);
        Comparison comparison(first_seed + history);
        for (int step = 0; step < 600; ++step) {
            comparison.step();
        }
        fired += comparison.fired();
    }
    CHECK(fired > 10'000); // the histories are not empty ones
}
