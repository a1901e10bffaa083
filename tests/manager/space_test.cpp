// A disk that fills up (event log 2.2, "Space").
#include "manager/space.hpp"
#include "tests/manager/rig.hpp"

#include <algorithm>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::PowerStatus;
using manager::SpaceLevel;

namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kTotal = 10'000 * kMiB; // its reserve: 500 MiB, the last one 125 MiB

/// The level is looked at in each round.
void free_space(Rig& rig, std::uint64_t bytes) {
    rig.log().total = kTotal;
    rig.log().free = bytes;
    rig.pass(1s);
}

manager::RequestPower request(core::ServerId server, PowerStatus target) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = target;
    return command;
}

manager::ReceiveHeartbeat heartbeat(core::ServerId server) {
    return {server, report(core::HeartbeatStatus::On)};
}

template <class T>
ErrorCode code(core::Result<T> const& outcome) {
    REQUIRE_FALSE(outcome);
    return outcome.error().code;
}

} // namespace

TEST_CASE("space: the reserve is the larger of 256 MiB and 5 %, the last one a quarter (2.2)") {
    auto const small = manager::space_limits(1000 * kMiB, {});
    CHECK(small.reserve == 256 * kMiB);
    CHECK(small.last == 64 * kMiB);
    auto const large = manager::space_limits(kTotal, {});
    CHECK(large.reserve == 500 * kMiB);
    CHECK(large.last == 125 * kMiB);
    auto const set = manager::space_limits(kTotal, 8 * kMiB);
    CHECK(set.reserve == 8 * kMiB);
    CHECK(set.last == 2 * kMiB);
    CHECK(manager::space_level(500 * kMiB, large) == SpaceLevel::Plenty);
    CHECK(manager::space_level(500 * kMiB - 1, large) == SpaceLevel::Reserve);
    CHECK(manager::space_level(125 * kMiB, large) == SpaceLevel::Reserve);
    CHECK(manager::space_level(125 * kMiB - 1, large) == SpaceLevel::Full);
}

TEST_CASE("space: in the reserve people's changes are refused, reports and deadlines go on (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    auto const silent = rig.running("m", 2);
    rig.set("wake_stagger_ms", "0");
    REQUIRE(rig.ask(manager::SetUp{"alice", "hashed", ""}));
    free_space(rig, 200 * kMiB);
    CHECK(rig.engine().readiness() == manager::Readiness::NoSpace);
    rig.happened();
    CHECK(code(rig.ask(request(silent, PowerStatus::Off))) == ErrorCode::NoSpace);
    CHECK(code(rig.ask(manager::AddServer{kAlice, {}, {}})) == ErrorCode::NoSpace);
    CHECK(rig.happened().empty());
    CHECK(rig.ask(heartbeat(id))->manifest.power_status == PowerStatus::Off);
    CHECK(rig.ask(manager::AskManifest{id, {boot(1), "nonce", core::OrderWay::Manifest}}));
    CHECK(rig.ask(manager::SignIn{"alice", "", "hashed"}));
    rig.pass(31s);
    CHECK(rig.actual(silent) == "Crashed");
    free_space(rig, 600 * kMiB);
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
    CHECK(rig.ask(request(silent, PowerStatus::On)));
}

TEST_CASE("space: in the last reserve nothing is appended, and silence does not count (2.2, 1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const starting = rig.enrolled("m", 2);
    rig.wants(starting, PowerStatus::On);
    free_space(rig, 100 * kMiB);
    auto const head = rig.log().head();
    auto const packets = rig.sender.sent.size();
    CHECK(code(rig.ask(heartbeat(id))) == ErrorCode::NoSpace);
    CHECK(code(rig.ask(request(id, PowerStatus::Off))) == ErrorCode::NoSpace);
    for (int i = 0; i < 40; ++i) {
        rig.clock.advance(10s);
        CHECK(rig.round());
    }
    CHECK(rig.log().head() == head);
    CHECK(rig.sender.sent.size() == packets);

    free_space(rig, 600 * kMiB);
    CHECK(rig.actual(id) == "ON");
    CHECK(rig.actual(starting) == "StartupDelayed"); // its time did pass
    rig.pass(28900ms);
    CHECK(rig.actual(id) == "ON");
    rig.pass(1200ms);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("space: in the last reserve no deadline asks for a round that could do nothing (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    free_space(rig, 100 * kMiB);
    rig.clock.advance(301s); // over the standby time
    REQUIRE(rig.round());
    CHECK_FALSE(rig.engine().next_due());
    free_space(rig, 600 * kMiB);
    CHECK(rig.engine().next_due());
}

TEST_CASE("space: a disk that fills up is seen before the next append (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    REQUIRE(rig.round());
    auto const head = rig.log().head();
    rig.log().total = kTotal;
    rig.log().free = 0;
    CHECK(code(rig.ask(heartbeat(id))) == ErrorCode::NoSpace);
    CHECK(rig.log().head() == head);
}

TEST_CASE("space: a witness that finds the disk full is written when there is room (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.pass(5s);
    REQUIRE(rig.ask(heartbeat(id)));
    rig.log().witness_fails = true;
    free_space(rig, 0);
    for (int i = 0; i < 8; ++i) {
        rig.clock.advance(250ms);
        CHECK(rig.round());
    }
    CHECK(rig.engine().readiness() == manager::Readiness::NoSpace);
    CHECK(rig.engine().stop());

    rig.log().witness_fails = false;
    rig.journal.clear();
    free_space(rig, 600 * kMiB);
    rig.clock.advance(1s);
    CHECK(rig.round());
    auto const witness = "witness of " + std::to_string(rig.log().head().sequence.value);
    CHECK(std::ranges::count(rig.journal.lines(), witness) > 0);
    CHECK(rig.ask(heartbeat(id)));
}

TEST_CASE("space: a stop on a full disk appends nothing and is clean (2.2)") {
    Rig rig;
    free_space(rig, 100 * kMiB);
    auto const head = rig.log().head();
    CHECK(rig.engine().stop());
    CHECK(rig.log().head() == head);
}

TEST_CASE("space: a start on a full disk says so and appends nothing (2.2)") {
    Rig rig;
    auto const head = rig.log().head();
    rig.kill();
    rig.open();
    rig.log().total = kTotal;
    rig.log().free = 100 * kMiB;
    auto const started = rig.start();
    CHECK(code(started) == ErrorCode::NoSpace);
    CHECK(rig.log().head() == head);
    // In the first reserve it starts.
    rig.kill();
    rig.open();
    rig.log().total = kTotal;
    rig.log().free = 200 * kMiB;
    CHECK(rig.start());
    CHECK(rig.engine().readiness() == manager::Readiness::NoSpace);
}

TEST_CASE("space: a configured reserve takes the place of the default (2.2)") {
    Rig rig;
    rig.kill();
    rig.space_reserve = 4 * kMiB;
    REQUIRE(rig.start());
    free_space(rig, 5 * kMiB);
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
    free_space(rig, 3 * kMiB);
    CHECK(rig.engine().readiness() == manager::Readiness::NoSpace);
}
