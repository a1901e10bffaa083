// What the door counts: tries to sign in, and connections.
#include "http/connections.hpp"
#include "http/sign_in_throttle.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

using namespace cpm;
using namespace cpm::http;
using namespace std::chrono_literals;

namespace {

core::MonoTime const kStart{1h};

long long seconds_to_wait(core::Result<void> const& attempt) {
    return attempt ? 0 : attempt.error().remaining_seconds;
}

using Places = std::deque<Connections::Place>;

/// Takes a place for a request of a person or an agent; false: none was to be had.
bool take(
    Places& places,
    std::shared_ptr<Connections> const& connections,
    std::string const& address,
    bool is_agent
) {
    auto taken = Connections::take(connections, address, false);
    auto* const place = std::get_if<Connections::Place>(&taken);
    if (!place || !place->admit(is_agent))
        return false;
    places.push_back(std::move(*place));
    return true;
}

} // namespace

TEST_CASE("throttle: after five failures each doubles the pause, up to a minute (3.5)") {
    SignInThrottle throttle;
    auto now = kStart;
    for (int i = 0; i < 5; ++i)
        CHECK(throttle.attempt("alice", "192.0.2.7", now));
    for (long long const pause : {1, 2, 4, 8, 16, 32, 60, 60}) {
        CHECK(seconds_to_wait(throttle.attempt("alice", "192.0.2.7", now)) == pause);
        now += core::seconds(pause) - 1ms;
        CHECK(seconds_to_wait(throttle.attempt("alice", "192.0.2.7", now)) == 1);
        now += 1ms;
        CHECK(throttle.attempt("alice", "192.0.2.7", now));
    }
}

TEST_CASE("throttle: a try that is refused does not lengthen the pause (3.5)") {
    SignInThrottle throttle;
    for (int i = 0; i < 6; ++i)
        (void)throttle.attempt("alice", "192.0.2.7", kStart);
    for (int i = 0; i < 100; ++i)
        CHECK_FALSE(throttle.attempt("alice", "192.0.2.7", kStart + 500ms));
    CHECK(throttle.attempt("alice", "192.0.2.7", kStart + 1s));
}

TEST_CASE("throttle: an address is slowed down over all accounts, an account over all (3.5)") {
    SignInThrottle throttle;
    for (int i = 0; i < 5; ++i)
        CHECK(throttle.attempt("user" + std::to_string(i), "192.0.2.7", kStart));
    CHECK_FALSE(throttle.attempt("another", "192.0.2.7", kStart));
    CHECK(throttle.attempt("another", "192.0.2.8", kStart));
    for (int i = 0; i < 5; ++i)
        CHECK(throttle.attempt("bob", "198.51.100." + std::to_string(i), kStart));
    CHECK_FALSE(throttle.attempt("bob", "198.51.100.9", kStart));
}

TEST_CASE("throttle: strangers who guess do not lock the owner out (3.5)") {
    SignInThrottle throttle;
    throttle.succeeded("alice", "192.0.2.7");
    for (int i = 0; i < 50; ++i)
        (void)throttle.attempt("alice", "198.51.100." + std::to_string(i), kStart + i * 1min);
    auto const now = kStart + 49min;
    CHECK_FALSE(throttle.attempt("alice", "203.0.113.1", now));
    CHECK(throttle.attempt("alice", "192.0.2.7", now));
    CHECK(throttle.attempt("alice", "127.0.0.1", now));
    CHECK(throttle.attempt("alice", "::1", now));
}

TEST_CASE("throttle: a success, or a quarter of an hour, forgives (3.5)") {
    SignInThrottle throttle;
    auto const fail_six_times = [&](core::MonoTime now) {
        for (int i = 0; i < 6; ++i)
            (void)throttle.attempt("alice", "192.0.2.7", now);
        return !throttle.attempt("alice", "192.0.2.7", now);
    };
    CHECK(fail_six_times(kStart));
    throttle.succeeded("alice", "192.0.2.7");
    CHECK(fail_six_times(kStart));
    CHECK(throttle.attempt("alice", "192.0.2.7", kStart + 15min));
    CHECK(throttle.attempt("alice", "192.0.2.7", kStart + 15min)); // the second of five free ones
}

TEST_CASE("throttle: it remembers a limited number of names and addresses") {
    SignInThrottle throttle;
    for (std::size_t i = 0; i < 3 * SignInThrottle::kMaxEntries; ++i)
        CHECK(throttle.attempt(std::to_string(i), std::to_string(i), kStart));
}

TEST_CASE("connections: one address has its limit, all together have theirs (3.5)") {
    auto const connections =
        std::make_shared<Connections>(Connections::Limits{.all = 8, .an_address = 3, .people = 8});
    Places places;
    for (int i = 0; i < 3; ++i)
        CHECK(take(places, connections, "a", false));
    CHECK_FALSE(take(places, connections, "a", false));
    for (int i = 0; i < 3; ++i)
        CHECK(take(places, connections, "b", false));
    places.pop_front();
    CHECK(take(places, connections, "a", false));
    CHECK(take(places, connections, "c", false));
    CHECK(take(places, connections, "d", false));
    CHECK_FALSE(take(places, connections, "e", true));
    places.clear();
    CHECK(connections->count() == 0);
}

TEST_CASE("connections: silent ones of one address give way to those who are fewer (3.5)") {
    auto const connections =
        std::make_shared<Connections>(Connections::Limits{.all = 8, .an_address = 5, .people = 8});
    std::vector<int> lost;
    Places places;
    auto const silent = [&](int name, std::string const& address, bool is_many = false) {
        auto taken = Connections::take(connections, address, is_many);
        auto* const place = std::get_if<Connections::Place>(&taken);
        if (place)
            places.push_back(std::move(*place));
        if (place)
            places.back().on_lost([&lost, name] { lost.push_back(name); });
        return place != nullptr;
    };
    CHECK(silent(1, "b"));
    CHECK(silent(2, "b"));
    CHECK(silent(3, "b"));
    for (int name = 11; name <= 15; ++name)
        CHECK(silent(name, "a"));
    CHECK_FALSE(silent(16, "a")); // its own limit
    CHECK(silent(20, "c"));       // all are taken: a has 5 that are silent
    CHECK(lost == std::vector{11});
    CHECK_FALSE(silent(16, "a")); // nobody has more than 4
    CHECK(connections->count() == 8);
    CHECK(silent(21, "c"));
    CHECK(lost == std::vector{11, 12});
    CHECK_FALSE(silent(22, "c")); // nobody has more than 3
    CHECK(silent(30, "d"));
    CHECK(lost == std::vector{11, 12, 1});
    for (auto& place : places)
        (void)place.admit(true); // those who said who they are stay
    CHECK_FALSE(silent(40, "e"));
    places.clear();
    CHECK(connections->count() == 0);
    CHECK(lost.size() == 3);

    // Behind a proxy are many, who are not meant.
    for (int name = 50; name < 58; ++name)
        CHECK(silent(name, "proxy", true));
    CHECK_FALSE(silent(60, "e"));
}

TEST_CASE("connections: people never take the agents' quarter, agents may take all (3.5)") {
    auto const connections =
        std::make_shared<Connections>(Connections::Limits{.all = 8, .an_address = 8, .people = 6});
    Places people;
    Places agents;
    for (int i = 0; i < 6; ++i)
        CHECK(take(people, connections, "a", false));
    CHECK_FALSE(take(people, connections, "b", false));
    CHECK(take(agents, connections, "b", true));
    CHECK(take(agents, connections, "b", true));
    CHECK_FALSE(take(agents, connections, "c", true));
    CHECK_FALSE(agents.front().admit(false)); // a person's request on an agent's connection
    people.pop_back();
    CHECK(agents.front().admit(false));
    CHECK_FALSE(take(people, connections, "b", false));
    people.clear();
    agents.clear();
    for (int i = 0; i < 8; ++i)
        CHECK(take(agents, connections, "b", true));
}

TEST_CASE("connections: a process with few file descriptors keeps some for the log") {
    using Limits = Connections::Limits;
    CHECK(Limits{}.within(65536).all == 1024);
    CHECK(Limits{}.within(65536).people == 768);
    CHECK(Limits{}.within(1024).all == 768);
    CHECK(Limits{}.within(1024).people == 576);
    CHECK(Limits{}.within(300).an_address == 44);
    CHECK(Limits{}.within(10).all == 4);
    CHECK(Limits{}.within(10).people == 3);
    Limits const chosen{.all = 100, .an_address = 90, .people = 50};
    CHECK(chosen.within(65536).all == 100);
    CHECK(chosen.within(65536).people == 50);
    CHECK(chosen.within(300).all == 44);
    CHECK(chosen.within(300).an_address == 44);
    CHECK(chosen.within(300).people == 22);
}
