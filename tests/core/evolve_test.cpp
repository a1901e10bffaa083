// Single effects of status model 1.4 that the named cases and the walk do not spell out.
#include "core/evolve.hpp"
#include "tests/core/scene.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;
using Names = std::vector<std::string>;

TEST_CASE("evolve: a loss counts only for the last heartbeat, and once (1.4)") {
    auto scene = Scene::running();
    auto const earlier = scene.state().last_heartbeat;
    scene.reports(says_on(boot(1)));
    auto const before = scene.state();

    auto state = before;
    evolve(state, {900}, HeartbeatLost{earlier});
    CHECK(state == before);
    CHECK(decide_silence(state, earlier).empty());

    evolve(state, {901}, HeartbeatLost{before.last_heartbeat});
    CHECK(state.previous == HeartbeatStatus::On);
    CHECK(state.current == HeartbeatStatus::None);
    auto const silent = state;
    evolve(state, {902}, HeartbeatLost{before.last_heartbeat});
    CHECK(state == silent);
}

TEST_CASE("evolve: the deadline of an earlier request closes nothing (1.4)") {
    auto scene = Scene::running();
    auto const earlier = scene.state().request->sequence;
    scene.asks(PowerStatus::Off);
    auto state = scene.state();
    evolve(state, {900}, StandbyElapsed{earlier});
    evolve(state, {901}, StandbyReleased{earlier});
    CHECK(state == scene.state());
    CHECK(decide_elapsed(state, earlier, false).empty());
}

TEST_CASE("evolve: a request rebases the history (1.4)") {
    auto scene = Scene::running();
    scene.falls_silent();
    CHECK(scene.actual() == "Crashed");
    scene.asks(PowerStatus::On);
    CHECK(scene.state().previous == HeartbeatStatus::None);
    CHECK(scene.actual() == "Starting");
    CHECK(scene.rule() == "S");
}

TEST_CASE("evolve: sixteen replaced identities are remembered, the oldest is forgotten (1.2)") {
    Scene scene;
    for (std::uint8_t number = 1; number <= 18; ++number)
        CHECK(scene.reports(says_on(boot(number))).events.at(0) == "HeartbeatReceived");
    CHECK(scene.state().earlier.size() == 16);
    CHECK(scene.reports(says_on(boot(2))).events == Names{"ReportIgnored"});
    CHECK(scene.reports(says_on(boot(1))).events.at(0) == "HeartbeatReceived");
}

TEST_CASE("evolve: the recorded identity stays when a report carries none (1.2)") {
    auto scene = Scene::running();
    scene.reports(says_on());
    CHECK(scene.state().boot == boot(1));
}

TEST_CASE("evolve: a withdrawal also takes back what was adopted since (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(says_on(boot(1)));
    scene.standby_elapses();
    auto const before = scene.state();
    CHECK(scene.actual() == "Unknown");

    scene.asks(PowerStatus::Off);
    scene.reports(says_on(boot(2)));
    CHECK(scene.actual() == "ManuallyON");
    scene.sync_of_request_failed();
    CHECK(scene.state().power == before.power);
    CHECK(scene.state().current == before.current);
    CHECK(scene.actual() == "Unknown");
    CHECK(scene.rule() == "OFF/ON/ON");
    CHECK(manifest_power(scene.state()) == PowerStatus::On);
}

TEST_CASE("evolve: a withdrawal never brings an order back, whatever its event says (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(says_stopping(boot(1)));
    auto const before = scene.state();
    REQUIRE(before.request->ordered);
    REQUIRE(before.request->answered);
    auto withdrawn = decide_withdrawal(before, Sequence{900});
    CHECK(!withdrawn.restored->ordered);
    CHECK(!withdrawn.restored->answered);
    withdrawn.restored = before.request;
    auto state = before;
    evolve(state, {901}, withdrawn);
    CHECK(!state.request->ordered);
    CHECK(!state.request->answered);
    CHECK(state.request->sequence == before.request->sequence);
}

TEST_CASE("evolve: what changes no status changes nothing (1.4)") {
    auto const scene = Scene::going_off();
    std::vector<Payload> const bystanders{
        ServerUpdated{},
        JoinTokenCreated{},
        AgentTokenRotated{},
        AgentRevoked{},
        PowerRefused{},
        OrderSent{},
        WakeSent{},
        SignedIn{},
        SettingsChanged{},
        ManagerStopped{},
        NotificationDismissed{},
    };
    for (auto const& payload : bystanders) {
        CAPTURE(type_name(payload));
        auto state = scene.state();
        evolve(state, {900}, payload);
        CHECK(state == scene.state());
    }
}

TEST_CASE("evolve: a replay of the log gives the fleet that is served (1.0)") {
    auto scene = Scene::going_off();
    scene.reports(says_stopping(boot(1)));
    scene.manager_starts();
    scene.setting("standby_time_seconds", "60");
    scene.reports(says_on(boot(2)));
    CHECK(scene.replayed() == scene.fleet());
}
