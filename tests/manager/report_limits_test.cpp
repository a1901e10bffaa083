// How often one agent may be heard to no purpose (HTTP 3.3).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

/// The default interval is 10 s: a place comes back each 2.5 s.
constexpr int kPlaces = 64;

/// A manager that is soon tired of what it has heard before.
struct Impatient : Rig {
    Impatient() {
        reports_ahead = kPlaces;
        restart();
        happened();
    }
};

core::Result<manager::ManifestOutcome>
reports(Rig& rig, core::ServerId id, core::Report said = report(HeartbeatStatus::On)) {
    return rig.ask(manager::ReceiveHeartbeat{id, std::move(said)});
}

/// A server that is ON, and whose agent has no place left.
core::ServerId used_up(Rig& rig) {
    auto const id = rig.running("n", 1);
    rig.pass(640s); // whatever it took to get there has come back, and it was lost meanwhile
    rig.says_on(id);
    rig.says_on(id);
    for (int i = 2; i < kPlaces; ++i)
        REQUIRE(reports(rig, id));
    rig.happened();
    return id;
}

void check_limited(Rig& rig, core::ServerId id, long long seconds) {
    auto const refused = reports(rig, id);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::Throttled);
    CHECK(refused.error().remaining_seconds == seconds);
}

} // namespace

TEST_CASE("reports: a flood that says nothing new leaves so many events, then none (3.3)") {
    Impatient rig;
    auto const id = used_up(rig);
    for (int i = 0; i < 1000; ++i)
        check_limited(rig, id, 3); // in 2.5 s
    CHECK(rig.happened().empty());
    auto other = report(HeartbeatStatus::On);
    other.agent_version = "other"; // nothing that matters
    other.address = "192.0.2.9";
    other.nonce.clear();
    other.report = 7;
    CHECK_FALSE(reports(rig, id, other));
    CHECK(rig.happened().empty());
}

TEST_CASE("reports: each quarter of the interval one more counts, so nobody is lost (3.3)") {
    Impatient rig;
    auto const id = used_up(rig);
    for (int quarter = 0; quarter < 40; ++quarter) {
        rig.clock.advance(2499ms);
        check_limited(rig, id, 1);
        rig.clock.advance(1ms);
        CHECK(reports(rig, id));
        check_limited(rig, id, 3);
    }
    CHECK(rig.happened() == Names(40, "HeartbeatReceived"));
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("reports: what says anything new counts always (3.3)") {
    Impatient rig;
    auto const id = used_up(rig);
    auto blocked = report(HeartbeatStatus::On);
    blocked.blocked_by = "a hold";
    auto leaving = report(HeartbeatStatus::On);
    leaving.leaving = core::Leaving::Reboot;
    for (auto const& said :
         {blocked,
          report(HeartbeatStatus::On),
          leaving,
          report(HeartbeatStatus::On),
          report(HeartbeatStatus::Stopping),
          report(HeartbeatStatus::Stopping),
          report(HeartbeatStatus::On),
          report(HeartbeatStatus::On),
          report(HeartbeatStatus::On, 2),
          report(HeartbeatStatus::On, 3)}) {
        CHECK(reports(rig, id, said));
        CHECK(rig.happened() == Names{"HeartbeatReceived"});
    }
    CHECK_FALSE(reports(rig, id, report(HeartbeatStatus::On, 3)));
}

TEST_CASE("reports: the first ones after a start, and with another interval, count (3.3)") {
    Impatient rig;
    auto const id = used_up(rig);
    rig.set("heartbeat_interval_seconds", "3600");
    CHECK(reports(rig, id)); // from now on its deadline is another
    CHECK(reports(rig, id));
    rig.set("heartbeat_interval_seconds", "1");
    CHECK(reports(rig, id));
    for (int i = 0; i < 20; ++i) {
        rig.clock.advance(800ms);
        CHECK(reports(rig, id));
    }
    rig.restart();
    CHECK(reports(rig, id));
    CHECK(reports(rig, id));
}

TEST_CASE("reports: another interval with the same timeout counts at once, too (3.3)") {
    Impatient rig;
    auto const id = used_up(rig); // each 10 s, lost after 3 of them
    manager::UpdateServer slower;
    slower.actor = kAlice;
    slower.server = id;
    slower.edit = [](core::ServerConfig& config) {
        config.heartbeat_interval = core::seconds{30};
        config.missed_heartbeats = 1;
    };
    REQUIRE(rig.ask(slower));
    for (int i = 0; i < kPlaces; ++i)
        REQUIRE(reports(rig, id));
    check_limited(rig, id, 8); // in 7.5 s
}

TEST_CASE("reports: while the manifest says OFF all count, each with its order (3.3)") {
    Impatient rig;
    auto const id = used_up(rig);
    rig.wants(id, PowerStatus::Off);
    for (int i = 0; i < 20; ++i) {
        auto const on = reports(rig, id);
        REQUIRE(on);
        CHECK(on->manifest.order.has_value());
    }
    for (int i = 0; i < 2 * kPlaces; ++i) {
        auto const stopping = reports(rig, id, report(HeartbeatStatus::Stopping));
        REQUIRE(stopping);
        CHECK(stopping->manifest.order.has_value());
    }
}

TEST_CASE("reports: a machine turned on by hand counts however much was said before (1.4)") {
    Impatient rig;
    auto const id = used_up(rig);
    rig.wants(id, PowerStatus::Off);
    for (int i = 0; i < kPlaces; ++i)
        REQUIRE(reports(rig, id, report(HeartbeatStatus::Stopping)));
    rig.happened();
    REQUIRE(reports(rig, id, report(HeartbeatStatus::On, 2)));
    CHECK(rig.happened() == Names{"HeartbeatReceived", "PowerAdopted"});
    REQUIRE(reports(rig, id, report(HeartbeatStatus::On, 2)));
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("reports: an agent at its own pace never meets the limit, nor one restarted often (3.3)"
) {
    Impatient rig;
    auto const id = rig.running("n", 1);
    for (int i = 0; i < 2000; ++i) {
        rig.pass(8s);
        for (int restarts = 0; restarts < 2; ++restarts)
            REQUIRE(reports(rig, id));
    }
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("reports: those that do not count are limited, too, and take no others' places (3.3)") {
    Impatient rig;
    auto const id = rig.running("n", 1);
    rig.says_on(id, 2);
    rig.says_on(id, 3);
    rig.happened();
    for (int i = 0; i < kPlaces; ++i)
        CHECK(rig.says_on(id, 1).manifest.notice == core::Notice::Ignored);
    auto of_clones = Names(kPlaces, "ReportIgnored");
    of_clones.insert(of_clones.begin() + 2, "AgentSetAside");
    CHECK(rig.happened() == of_clones);
    auto const clones = report(HeartbeatStatus::On, 1);
    CHECK_FALSE(reports(rig, id, clones));
    CHECK_FALSE(reports(rig, id, report(HeartbeatStatus::Stopping, 1)));
    for (int i = 4; i < kPlaces; ++i) // so many there were
        CHECK(reports(rig, id, report(HeartbeatStatus::On, 3)));
    // What it changes is told at once.
    REQUIRE(rig.ask(manager::ReinstateAgent{kAlice, id}));
    rig.happened();
    CHECK(reports(rig, id, clones));
    CHECK(reports(rig, id, clones));
    CHECK_FALSE(reports(rig, id, clones));
    CHECK(rig.happened() == Names{"ReportIgnored", "ReportIgnored", "AgentSetAside"});
}

TEST_CASE("reports: one of a clone ends an order at once, however often it came before (1.4)") {
    Impatient rig;
    auto const id = rig.running("n", 1);
    rig.says_on(id, 2);
    while (reports(rig, id, report(HeartbeatStatus::On, 1)))
        REQUIRE(rig.all("ReportIgnored").size() < 1000);
    REQUIRE(rig.ask(manager::ReinstateAgent{kAlice, id}));
    rig.wants(id, PowerStatus::Off);
    REQUIRE(rig.says_on(id, 2).manifest.order.has_value());
    rig.happened();
    rig.says_on(id, 1);
    CHECK(rig.happened() == Names{"ReportIgnored"});
    CHECK_FALSE(rig.says_on(id, 2).manifest.order.has_value());
}
