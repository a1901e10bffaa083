// Decisions as the log has them: one number, the status after the decision on each event, and the
// release of a standby time that has served its purpose.
#include "core/record.hpp"
#include "tests/core/scene.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;
using Names = std::vector<std::string>;

namespace {

Payloads two_payloads() {
    HeartbeatReceived received;
    received.status = HeartbeatStatus::On;
    return {received, PowerAdopted{}};
}

Fleet one_server(ServerId id) {
    Fleet fleet;
    std::vector<Event> batch;
    record(fleet, id, {ServerAdded{}}, Provenance{}, Sequence{}, batch);
    return fleet;
}

Scene releasing(Scene scene) {
    scene.setting("release_standby_when_settled", "true");
    return scene;
}

} // namespace

TEST_CASE("record: the events of a decision share its number and follow the head (1.4)") {
    constexpr ServerId kId{3};
    auto fleet = one_server(kId);
    std::vector<Event> batch(1); // another decision of the same round
    Provenance const provenance{
        .at = WallTime{std::chrono::seconds{77}},
        .actor = {ActorKind::Agent, "node"},
        .cause = Sequence{5}};
    auto const events = record(fleet, kId, two_payloads(), provenance, Sequence{40}, batch);

    REQUIRE(events.size() == 2);
    CHECK(batch.size() == 3);
    CHECK(&events[0] == &batch[1]);
    CHECK(events[0].sequence == Sequence{41});
    CHECK(events[1].sequence == Sequence{42});
    for (auto const& event : events) {
        CHECK(event.decision == Sequence{41});
        CHECK(event.server == kId);
        CHECK(event.at == provenance.at);
        CHECK(event.actor == provenance.actor);
        CHECK(event.cause == Sequence{5});
    }
}

TEST_CASE("record: each event carries the status after the decision, none between (1.4)") {
    constexpr ServerId kId{3};
    auto fleet = one_server(kId);
    std::vector<Event> batch;
    record(fleet, kId, two_payloads(), Provenance{}, Sequence{1}, batch);
    CHECK(batch[0].actual == ActualStatus::ManuallyOn);
    CHECK(batch[1].actual == ActualStatus::ManuallyOn);
}

TEST_CASE("record: an empty decision is no event") {
    constexpr ServerId kId{3};
    auto fleet = one_server(kId);
    auto const before = fleet;
    std::vector<Event> batch;
    CHECK(record(fleet, kId, {}, Provenance{}, Sequence{1}, batch).empty());
    CHECK(batch.empty());
    CHECK(fleet == before);
}

TEST_CASE("record: events about no server carry no status") {
    Fleet fleet;
    std::vector<Event> batch;
    record(fleet, {}, {ManagerStarted{"1.0"}}, Provenance{}, Sequence{}, batch);
    CHECK(!batch.at(0).actual);
    CHECK(batch.at(0).sequence == Sequence{1});
}

TEST_CASE("record: a settled request releases its standby time only by the setting (1.4)") {
    auto plain = Scene::going_off();
    plain.reports(says_stopping(boot(1)));
    CHECK(plain.falls_silent() == Names{"HeartbeatLost"});
    CHECK(standby_is_open(plain.state()));

    auto scene = releasing(Scene::going_off());
    auto const request = scene.state().request->sequence;
    CHECK(scene.reports(says_stopping(boot(1))).events == Names{"HeartbeatReceived"});
    CHECK(scene.falls_silent() == Names{"HeartbeatLost", "StandbyReleased"});
    CHECK(!standby_is_open(scene.state()));
    CHECK(std::get<StandbyReleased>(scene.log().back().payload) == StandbyReleased{request});
    auto const& log = scene.log();
    CHECK(log[log.size() - 2].decision == log.back().decision);
    CHECK(log.back().actual == ActualStatus::Off);
    CHECK(scene.standby_elapses().empty()); // nothing is left to elapse
    CHECK(scene.asks(PowerStatus::On).events == Names{"PowerRequested"});
}

TEST_CASE("record: ON releases with the first ON, an acknowledged OFF at once (1.4)") {
    auto scene = releasing(Scene{});
    CHECK(scene.asks(PowerStatus::On).events == Names{"PowerRequested"});
    CHECK(scene.reports(says_on(boot(1))).events == Names{"HeartbeatReceived", "StandbyReleased"});
    scene.falls_silent();
    CHECK(scene.asks(PowerStatus::Off).events == Names{"PowerRequested", "StandbyReleased"});
    CHECK(scene.actual() == "OFF");
}
