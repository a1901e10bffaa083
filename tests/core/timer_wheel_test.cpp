// The timer wheel against the promises of status model 1.5, one by one.
#include "core/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

using cpm::core::MonoTime;
using cpm::core::TimerId;
using cpm::core::TimerWheel;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kAllowed = milliseconds(10);
constexpr nanoseconds kInstant{1};

MonoTime at(nanoseconds since_zero) {
    return MonoTime(since_zero);
}

std::vector<std::uint64_t> fired_by(TimerWheel& wheel, MonoTime now) {
    std::vector<std::uint64_t> fired;
    wheel.advance(now, [&](std::uint64_t payload) { fired.push_back(payload); });
    return fired;
}

using Payloads = std::vector<std::uint64_t>;

// Advances only when next_due says so, until nothing waits; returns when each payload fired.
std::map<std::uint64_t, MonoTime> run_by_next_due(TimerWheel& wheel, int& wakes) {
    std::map<std::uint64_t, MonoTime> fired_at;
    for (wakes = 0; auto const due = wheel.next_due(); ++wakes) {
        for (std::uint64_t const payload : fired_by(wheel, *due)) {
            fired_at[payload] = *due;
        }
    }
    return fired_at;
}

// Around each power of 256 ticks, where a timer changes its level, from a start that is itself
// awkward: offsets from `start` to just before, at and just after the boundary.
std::vector<MonoTime> deadlines_at_level_boundaries(MonoTime start) {
    std::vector<MonoTime> deadlines;
    for (int power = 0; power <= 4; ++power) {
        nanoseconds const reach = milliseconds(10) * (std::int64_t{1} << (8 * power));
        for (std::int64_t const times : {1, 2, 127, 255}) {
            if (power == 4 && times == 255) {
                continue; // beyond the end of time
            }
            for (nanoseconds const aside :
                 {-kAllowed, -kInstant, nanoseconds(0), kInstant, kAllowed}) {
                deadlines.push_back(start + times * reach + aside);
            }
        }
    }
    return deadlines;
}

std::vector<MonoTime> awkward_starts() {
    auto const ticks = [](std::int64_t count) { return at(count * milliseconds(10)); };
    return {
        at(nanoseconds(0)),
        at(nanoseconds(9'999'999)),
        ticks(255),
        ticks(256) - kInstant,
        ticks(65'535),
        ticks(0x00ff'ffff),
        ticks(0x00ff'ffff) + nanoseconds(1),
        ticks(0xffff'ffff),
        at(hours(1234) + nanoseconds(123'456'789))};
}

} // namespace

TEST_CASE("timer wheel: on the tick a timer fires at its deadline, not an instant before (1.5)") {
    TimerWheel wheel(at(milliseconds(1000)));
    wheel.schedule(at(milliseconds(1250)), 7);
    CHECK(fired_by(wheel, at(milliseconds(1250)) - kInstant).empty());
    CHECK(wheel.size() == 1);
    CHECK(fired_by(wheel, at(milliseconds(1250))) == Payloads{7});
    CHECK(wheel.size() == 0);
    CHECK(fired_by(wheel, at(milliseconds(9000))).empty());
}

TEST_CASE("timer wheel: off the tick a timer is not early and at most 10 ms late (1.5)") {
    for (nanoseconds const beyond : {kInstant, nanoseconds(5'000'000), kAllowed - kInstant}) {
        MonoTime const deadline = at(milliseconds(1250)) + beyond;
        TimerWheel wheel(at(milliseconds(1000)));
        wheel.schedule(deadline, 7);
        CHECK(fired_by(wheel, deadline - kInstant).empty());
        CHECK(fired_by(wheel, deadline + kAllowed) == Payloads{7});
    }
}

TEST_CASE("timer wheel: timers fire by deadline, equal ones as scheduled (1.5)") {
    TimerWheel wheel(at(nanoseconds(0)));
    wheel.schedule(at(hours(2)), 6);
    wheel.schedule(at(milliseconds(15)), 3); // 2, 3 and 4 share a tick
    wheel.schedule(at(milliseconds(12)), 2);
    wheel.schedule(at(milliseconds(15)), 4);
    wheel.schedule(at(milliseconds(4000)), 5);
    wheel.schedule(at(nanoseconds(0)), 1);
    CHECK(fired_by(wheel, at(hours(3))) == Payloads{1, 2, 3, 4, 5, 6});
}

TEST_CASE("timer wheel: a deadline that has passed fires at the next advance (1.5)") {
    TimerWheel wheel(at(hours(5)));
    wheel.schedule(at(hours(1)), 1);
    wheel.schedule(at(-hours(1)), 2);
    REQUIRE(wheel.next_due());
    CHECK(*wheel.next_due() <= at(hours(5)));
    CHECK(fired_by(wheel, at(hours(5))) == Payloads{2, 1});
}

TEST_CASE("timer wheel: across every level boundary no timer is early or over 10 ms late (1.5)") {
    for (MonoTime const start : awkward_starts()) {
        for (MonoTime const deadline : deadlines_at_level_boundaries(start)) {
            CAPTURE(start.time_since_epoch().count());
            CAPTURE(deadline.time_since_epoch().count());
            TimerWheel wheel(start);
            wheel.schedule(deadline, 1);
            if (deadline > start) {
                CHECK(fired_by(wheel, deadline - kInstant).empty());
            }
            CHECK(fired_by(wheel, deadline + kAllowed) == Payloads{1});
        }
    }
}

TEST_CASE("timer wheel: advancing only at next_due no timer is early or over 10 ms late (1.5)") {
    for (MonoTime const start : awkward_starts()) {
        std::vector<MonoTime> const deadlines = deadlines_at_level_boundaries(start);
        TimerWheel wheel(start);
        for (std::size_t index = 0; index < deadlines.size(); ++index) {
            wheel.schedule(deadlines[index], index);
        }
        int wakes = 0;
        auto const fired_at = run_by_next_due(wheel, wakes);
        REQUIRE(fired_at.size() == deadlines.size());
        for (std::size_t index = 0; index < deadlines.size(); ++index) {
            CAPTURE(index);
            MonoTime const fired = fired_at.at(index);
            // A deadline at the start is due at once, even if the start is off the tick.
            CHECK(std::max(fired, start) >= deadlines[index]);
            CHECK(fired - deadlines[index] < kAllowed);
        }
        // Each timer moves down at most four levels and fires once.
        CHECK(wakes <= static_cast<int>(5 * deadlines.size()));
    }
}

TEST_CASE("timer wheel: an empty wheel has nothing due (1.5)") {
    TimerWheel wheel(at(hours(1)));
    CHECK_FALSE(wheel.next_due());
    TimerId const id = wheel.schedule(at(hours(2)), 1);
    CHECK(wheel.next_due());
    wheel.cancel(id);
    CHECK_FALSE(wheel.next_due());
    CHECK(wheel.size() == 0);
    CHECK(fired_by(wheel, at(hours(3))).empty());
}

// Turning tick by tick, this would take hours and end at ctest's time limit.
TEST_CASE("timer wheel: a jump over centuries fires what is due, and time goes on (1.5)") {
    MonoTime const far = at(hours(24 * 365 * 250));
    TimerWheel wheel(at(nanoseconds(0)));
    wheel.schedule(at(hours(3)), 1);
    wheel.schedule(at(hours(24 * 365 * 200)), 2);
    wheel.schedule(far + milliseconds(30), 3);
    CHECK(fired_by(wheel, far) == Payloads{1, 2});
    CHECK(fired_by(wheel, far + milliseconds(20)).empty());
    CHECK(fired_by(wheel, far + milliseconds(30)) == Payloads{3});
}

TEST_CASE("timer wheel: the end of time never comes (1.5)") {
    TimerWheel wheel(at(nanoseconds(0)));
    wheel.schedule(MonoTime::max(), 1);
    REQUIRE(wheel.next_due());
    CHECK(*wheel.next_due() > at(nanoseconds(0)));
    CHECK(fired_by(wheel, MonoTime::max()).empty());
    CHECK(wheel.next_due() == MonoTime::max());
    CHECK(wheel.size() == 1);
}

TEST_CASE("timer wheel: an earlier time than the last one told changes nothing (1.5)") {
    TimerWheel wheel(at(hours(2)));
    wheel.schedule(at(hours(2) + milliseconds(10)), 1);
    CHECK(fired_by(wheel, at(hours(1))).empty());
    CHECK(fired_by(wheel, at(hours(2) + milliseconds(10))) == Payloads{1});
}

TEST_CASE("timer wheel: a cancelled timer does not fire, its neighbours do (1.5)") {
    for (std::size_t const cancelled : {0, 1, 2}) {
        TimerWheel wheel(at(nanoseconds(0)));
        std::vector<TimerId> ids;
        Payloads expected;
        for (std::uint64_t payload = 0; payload < 3; ++payload) {
            ids.push_back(wheel.schedule(at(hours(1)), payload));
            if (payload != cancelled) {
                expected.push_back(payload);
            }
        }
        wheel.cancel(ids[cancelled]);
        CHECK(wheel.size() == 2);
        CHECK(fired_by(wheel, at(hours(1))) == expected);
    }
}

TEST_CASE("timer wheel: an id that outlived its timer cancels nothing (1.5)") {
    TimerWheel wheel(at(nanoseconds(0)));
    TimerId const fired = wheel.schedule(at(milliseconds(10)), 1);
    CHECK(fired_by(wheel, at(milliseconds(10))) == Payloads{1});
    TimerId const cancelled = wheel.schedule(at(milliseconds(20)), 2);
    wheel.cancel(cancelled);
    wheel.schedule(at(milliseconds(30)), 3); // in the place of both
    wheel.cancel(fired);
    wheel.cancel(cancelled);
    wheel.cancel(TimerId{});
    wheel.cancel(TimerId{4'000'000'000, 1});
    CHECK(fired_by(wheel, at(milliseconds(30))) == Payloads{3});
}

TEST_CASE("timer wheel: a firing timer cancels one that is due with it (1.5)") {
    TimerWheel wheel(at(nanoseconds(0)));
    wheel.schedule(at(milliseconds(10)), 1);
    TimerId const second = wheel.schedule(at(milliseconds(20)), 2);
    wheel.schedule(at(milliseconds(30)), 3);
    Payloads fired;
    wheel.advance(at(hours(1)), [&](std::uint64_t payload) {
        fired.push_back(payload);
        wheel.cancel(second);
        // The place of the cancelled timer is taken anew; what takes it must not fire for it.
        wheel.schedule(at(hours(2)), 10 + payload);
    });
    CHECK(fired == Payloads{1, 3});
    CHECK(fired_by(wheel, at(hours(2))) == Payloads{11, 13});
}

TEST_CASE("timer wheel: what a firing timer schedules fires at a later advance (1.5)") {
    TimerWheel wheel(at(nanoseconds(0)));
    wheel.schedule(at(milliseconds(10)), 1);
    Payloads fired;
    auto const again = [&](std::uint64_t payload) {
        fired.push_back(payload);
        wheel.schedule(at(milliseconds(10)), payload + 1);
    };
    wheel.advance(at(hours(1)), again);
    CHECK(fired == Payloads{1});
    REQUIRE(wheel.next_due());
    CHECK(*wheel.next_due() <= at(hours(1)));
    wheel.advance(at(hours(1)), again);
    CHECK(fired == Payloads{1, 2});
}

TEST_CASE("timer wheel: when a firing timer throws, the others stay due (1.5)") {
    TimerWheel wheel(at(nanoseconds(0)));
    for (std::uint64_t payload = 1; payload <= 3; ++payload) {
        wheel.schedule(at(milliseconds(10)), payload);
    }
    auto const fail = [](std::uint64_t) { throw std::runtime_error("no room"); };
    CHECK_THROWS_AS(wheel.advance(at(hours(1)), fail), std::runtime_error);
    CHECK(wheel.size() == 2);
    REQUIRE(wheel.next_due());
    CHECK(*wheel.next_due() <= at(hours(1)));
    wheel.schedule(at(nanoseconds(0)), 4); // its deadline is the earliest of those left
    CHECK(fired_by(wheel, at(hours(1))) == Payloads{4, 2, 3});
}
