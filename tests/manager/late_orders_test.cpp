// An OFF that nobody carried out in its time is not carried out later, by a manager that was away
// (status model 1.4, 1.5).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

constexpr bool kNobodyListened = false;

/// What has waited for the manager while it was away, in its first round.
core::Manifest
told_after(Rig& rig, core::ServerId server, core::Report said, bool listening = kNobodyListened) {
    std::optional<core::Result<manager::ManifestOutcome>> told;
    rig.queue(manager::ReceiveHeartbeat{server, std::move(said)}, told);
    REQUIRE(rig.round(listening));
    REQUIRE(told);
    REQUIRE(*told);
    return (*told)->manifest;
}

core::Manifest held_after(Rig& rig, core::ServerId server) {
    std::optional<core::Result<manager::ManifestOutcome>> told;
    rig.queue(manager::AskManifest{server, {boot(1), "nonce", core::OrderWay::Manifest}}, told);
    REQUIRE(rig.round(kNobodyListened));
    REQUIRE(told);
    REQUIRE(*told);
    return (*told)->manifest;
}

void fill_disk(Rig& rig, bool full) {
    rig.log().total = 10'000ULL << 20;
    rig.log().free = full ? 0 : 5'000ULL << 20;
}

} // namespace

TEST_CASE("late: after a pause no report that waited for it is told an OFF of before (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.clock.advance(2h);
    auto const told = told_after(rig, id, report(HeartbeatStatus::On));
    CHECK(told.power_status == PowerStatus::On);
    CHECK(rig.all("OrderSent").empty());
    CHECK(rig.actual(id) == "Unknown");
    CHECK(rig.says_on(id).manifest.power_status == PowerStatus::On);
}

TEST_CASE("late: nor is a held call (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.clock.advance(2h);
    CHECK(held_after(rig, id).power_status == PowerStatus::On);
    CHECK(rig.all("OrderSent").empty());
}

TEST_CASE("late: nor an agent that cannot verify an order (1.4, HTTP 3.3)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    manager::UpdateServer command;
    command.actor = kAlice;
    command.server = id;
    command.edit = [](core::ServerConfig& config) { config.allow_unsigned = true; };
    REQUIRE(rig.ask(std::move(command)));
    rig.wants(id, PowerStatus::Off);
    rig.clock.advance(2h);
    auto said = report(HeartbeatStatus::On);
    said.identity.reset();
    said.nonce.clear();
    CHECK(told_after(rig, id, said).power_status == PowerStatus::On);
}

TEST_CASE("late: a Stopping that waited over the standby time keeps no OFF alive (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    REQUIRE(rig.says_on(id).manifest.order);
    rig.clock.advance(2h);
    CHECK(told_after(rig, id, report(HeartbeatStatus::Stopping)).power_status == PowerStatus::On);
    CHECK(rig.says_stopping(id).manifest.power_status == PowerStatus::On);
}

TEST_CASE("late: an ON that waited over the standby time is no short outage: adopted (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    rig.pass(31s);
    REQUIRE(rig.actual(id) == "OFF");
    rig.clock.advance(2h);
    CHECK(told_after(rig, id, report(HeartbeatStatus::On)).power_status == PowerStatus::On);
    CHECK(rig.actual(id) == "ManuallyON");
    CHECK(rig.all("PowerReasserted").empty());
}

TEST_CASE("late: who came up while the manager was away is not called late (1.5)") {
    Rig rig;
    auto const id = rig.gone_off("n", 1);
    rig.wants(id, PowerStatus::On);
    rig.clock.advance(2h);
    auto const told = told_after(rig, id, report(HeartbeatStatus::On, 2));
    CHECK(told.power_status == PowerStatus::On);
    CHECK(rig.actual(id) == "ON");
    for (auto const& event : rig.all("StandbyElapsed"))
        CHECK(event.actual != core::ActualStatus::StartupDelayed);
}

TEST_CASE("late: a disk that was full over the standby time lets no OFF through (1.4, 2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    REQUIRE(rig.says_on(id).manifest.order);
    auto const orders = rig.all("OrderSent").size();
    fill_disk(rig, true);
    for (int i = 0; i < 8; ++i) {
        rig.clock.advance(15min);
        REQUIRE(rig.round());
    }
    fill_disk(rig, false);
    constexpr bool kListened = true;
    auto const said = report(HeartbeatStatus::Stopping);
    CHECK(told_after(rig, id, said, kListened).power_status == PowerStatus::On);
    CHECK(rig.all("OrderSent").size() == orders);
}

TEST_CASE("late: a standby time goes on while the manager's machine is suspended (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.clock.suspend(8h);
    rig.clock.advance(100ms);
    constexpr bool kListened = true; // its clock tells of no pause
    auto const told = told_after(rig, id, report(HeartbeatStatus::On), kListened);
    CHECK(told.power_status == PowerStatus::On);
    CHECK(rig.all("OrderSent").empty());
    CHECK(rig.actual(id) == "Unknown");
}

TEST_CASE("late: a suspend takes from a standby time what it lasted, and no more (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    for (int i = 0; i < 2; ++i) {
        rig.clock.suspend(100s);
        rig.pass(10s);
        REQUIRE(rig.says_on(id).manifest.order);
    }
    rig.pass(79900ms);
    CHECK(rig.says_on(id).manifest.order);
    rig.pass(200ms);
    CHECK_FALSE(rig.says_on(id).manifest.order);
    CHECK(rig.all("StandbyElapsed").size() == 1);
    // A restart knows of it, and does not take it off once more.
    rig.clock.suspend(100s);
    rig.restart();
    auto const other = rig.running("m", 2);
    rig.wants(other, PowerStatus::Off);
    rig.pass(299s);
    CHECK(rig.says_on(other).manifest.order);
}

TEST_CASE("late: silence does not count while the manager's machine is suspended (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.pass(29s);
    rig.clock.suspend(8h);
    REQUIRE(rig.round());
    rig.pass(29900ms);
    CHECK(rig.actual(id) == "ON");
    rig.pass(1s);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("late: of a manager that listened, a report in the round of the end still counts (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.says_on(id);
    rig.clock.advance(300s);
    constexpr bool kListened = true;
    CHECK(told_after(rig, id, report(HeartbeatStatus::Stopping), kListened).order);
    CHECK(rig.actual(id) == "ShutdownDelayed");
    CHECK(rig.says_stopping(id).manifest.order); // answered in its time
}

TEST_CASE("late: a report is heard, however long it waited (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    std::optional<core::Result<manager::ManifestOutcome>> told;
    rig.queue(manager::ReceiveHeartbeat{id, report(HeartbeatStatus::On)}, told);
    rig.clock.advance(2h);
    REQUIRE(rig.round(kNobodyListened));
    REQUIRE(told);
    CHECK(told->has_value());
}
