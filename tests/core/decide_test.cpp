// Decisions one by one: the order of a power request's checks, its guards, and what a report, a
// deadline and a settled request become.
#include "core/decide.hpp"
#include "tests/core/document_table.hpp"
#include "tests/core/scene.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;
using Names = std::vector<std::string>;

namespace {

Scene with_config(Scene scene, ServerConfig config) {
    config.name = scene.server().config.name;
    scene.configure(config);
    return scene;
}

ServerConfig protected_config() {
    ServerConfig config;
    config.is_protected = true;
    return config;
}

void check_refused(Outcome const& outcome, ErrorCode code) {
    CHECK(outcome.events == Names{"PowerRefused"});
    REQUIRE(outcome.refusal);
    CHECK(outcome.refusal->code == code);
}

/// A server whose current heartbeat status is `before`, with an OFF that stands as a row of the
/// document says: ordered within its standby time, or not.
Scene before_turning_on(std::string_view before, bool order_stands) {
    auto scene = Scene::going_off();
    if (before == "Stopping")
        scene.reports(says_stopping(boot(1)));
    if (before == "None")
        scene.falls_silent();
    if (!order_stands)
        scene.standby_elapses();
    return scene;
}

std::string what_happens(Scene& scene, std::string_view identity) {
    auto const report = identity == "none"       ? says_on()
                        : identity == "recorded" ? says_on(boot(1))
                                                 : says_on(boot(2));
    auto const answer = scene.reports(report);
    if (answer.events == Names{"HeartbeatReceived"})
        return "table";
    if (answer.events == Names{"HeartbeatReceived", "PowerAdopted"})
        return "adopted";
    if (answer.events == Names{"HeartbeatReceived", "PowerReasserted"})
        return "re-asserted";
    return "something else";
}

} // namespace

// --- power requests ---

TEST_CASE("decide: a request inside the standby time is refused, before all else (1.4)") {
    auto scene = with_config(Scene::running(), protected_config());
    scene.asks(PowerStatus::On); // unchanged: it is ON, and no standby time opens
    CHECK(!standby_is_open(scene.state()));
    scene.asks(PowerStatus::Off, {.name_confirmed = true});

    // It is open: the other way is refused, the same again too, and so is what a guard would stop.
    check_refused(scene.asks(PowerStatus::On), ErrorCode::StandbyOpen);
    check_refused(scene.asks(PowerStatus::Off), ErrorCode::StandbyOpen);
    scene.reports(says_stopping(boot(1)));
    scene.falls_silent();
    CHECK(scene.actual() == "OFF");
    check_refused(scene.asks(PowerStatus::Off), ErrorCode::StandbyOpen); // what already holds
    CHECK(scene.asks(PowerStatus::Off).refusal->detail.find("rack1-node3") != std::string::npos);
}

TEST_CASE("decide: a refusal changes nothing of the server (1.4)") {
    auto scene = Scene::going_off();
    auto const before = scene.state();
    scene.asks(PowerStatus::On);
    CHECK(scene.state() == before);
}

TEST_CASE("decide: a request for what already holds is unchanged, and no event (1.4)") {
    auto on = Scene::running();
    CHECK(on.asks(PowerStatus::On).events.empty());
    CHECK(!on.asks(PowerStatus::On).refusal);

    auto off = with_config(Scene::gone_off(), protected_config());
    CHECK(off.asks(PowerStatus::Off).events.empty()); // before the guards
    CHECK(!off.asks(PowerStatus::Off).refusal);

    Scene by_hand;
    by_hand.reports(says_on(boot(1)));
    CHECK(by_hand.actual() == "ManuallyON");
    CHECK(by_hand.asks(PowerStatus::On).events.empty());
}

TEST_CASE("decide: ON on Crashed, StartupDelayed or Unknown is a real request (1.4)") {
    auto crashed = Scene::running();
    crashed.falls_silent();
    CHECK(crashed.actual() == "Crashed");
    CHECK(crashed.asks(PowerStatus::On).events == Names{"PowerRequested"});
    CHECK(crashed.actual() == "Starting");

    crashed.standby_elapses();
    CHECK(crashed.actual() == "StartupDelayed");
    CHECK(crashed.asks(PowerStatus::On).events == Names{"PowerRequested"});

    auto unknown = Scene::running();
    unknown.reports(says_stopping(boot(1)));
    CHECK(unknown.actual() == "Unknown");
    CHECK(unknown.asks(PowerStatus::On).events == Names{"PowerRequested"});
}

TEST_CASE("decide: a protected server goes OFF only by its name (HTTP 3.2)") {
    auto scene = with_config(Scene::running(), protected_config());
    check_refused(scene.asks(PowerStatus::Off), ErrorCode::Protected);
    check_refused(scene.asks(PowerStatus::Off, {.include_manager = true}), ErrorCode::Protected);
    CHECK(scene.asks(PowerStatus::Off, {.name_confirmed = true}).events == Names{"PowerRequested"});
    scene.standby_elapses();
    CHECK(scene.asks(PowerStatus::On).events == Names{"PowerRequested"}); // ON needs nothing
}

TEST_CASE("decide: the manager's own host goes OFF only when that is said (HTTP 3.2)") {
    auto scene = Scene::running();
    check_refused(scene.asks(PowerStatus::Off, {.own_host = OwnHost::Yes}), ErrorCode::OwnHost);
    PowerGuards const said{.own_host = OwnHost::Yes, .include_manager = true};
    CHECK(scene.asks(PowerStatus::Off, said).events == Names{"PowerRequested"});
    scene.standby_elapses();
    CHECK(
        scene.asks(PowerStatus::On, {.own_host = OwnHost::Yes}).events == Names{"PowerRequested"}
    );
}

TEST_CASE("decide: each guard stands for itself (HTTP 3.2)") {
    auto scene = with_config(Scene::running(), protected_config());
    PowerGuards guards{.own_host = OwnHost::Yes, .name_confirmed = true};
    check_refused(scene.asks(PowerStatus::Off, guards), ErrorCode::OwnHost);
    guards = {.own_host = OwnHost::Yes, .include_manager = true};
    check_refused(scene.asks(PowerStatus::Off, guards), ErrorCode::Protected);
    guards.name_confirmed = true;
    CHECK(!scene.asks(PowerStatus::Off, guards).refusal);
}

TEST_CASE("decide: PowerRefused says what was asked and why it was refused (HTTP 3.1)") {
    auto scene = Scene::running();
    scene.asks(PowerStatus::Off, {.own_host = OwnHost::Yes});
    CHECK(
        std::get<PowerRefused>(scene.log().back().payload) ==
        PowerRefused{PowerStatus::Off, ErrorCode::OwnHost}
    );
}

TEST_CASE("decide: an accepted request carries its standby time (1.5)") {
    auto scene = Scene::running();
    scene.asks(PowerStatus::Off);
    CHECK(
        std::get<PowerRequested>(scene.log().back().payload) ==
        PowerRequested{PowerStatus::Off, seconds{300}}
    );
    CHECK(scene.server().standby == seconds{300});
}

// --- reports ---

TEST_CASE("decide: ON while power is OFF does what the document's table says (1.4)") {
    auto const rows = read_document_table({"before", "identity", "order stands", "what happens"});
    for (auto const* before : {"ON", "Stopping", "None"})
        for (auto const* identity : {"none", "recorded", "other"})
            for (bool order_stands : {false, true}) {
                CAPTURE(before);
                CAPTURE(identity);
                CAPTURE(order_stands);
                auto scene = before_turning_on(before, order_stands);
                auto const happened = what_happens(scene, identity);
                int fitting = 0;
                for (auto const& row : rows)
                    if (cell_fits(row.at(0), before) && cell_fits(row.at(1), identity) &&
                        cell_fits(row.at(2), order_stands ? "yes" : "no")) {
                        ++fitting;
                        CHECK(happened == row.at(3));
                    }
                CHECK(fitting == 1);
            }
}

TEST_CASE("decide: an OFF of a silent server is never re-asserted, though its time is open (1.4)") {
    auto scene = Scene::running();
    scene.falls_silent();
    scene.asks(PowerStatus::Off);
    CHECK(what_happens(scene, "recorded") == "adopted");
}

TEST_CASE("decide: a heartbeat carries what was reported (1.4)") {
    auto scene = Scene::running();
    auto report = says_stopping(boot(1));
    report.report = 17;
    report.blocked_by = "a backup";
    report.leaving = Leaving::Reboot;
    report.agent_version = "1.2.3";
    report.address = "192.0.2.7";
    HeartbeatReceived expected{
        .status = HeartbeatStatus::Stopping,
        .identity = boot(1),
        .report = 17,
        .timeout = seconds{30},
        .blocked_by = "a backup",
        .leaving = Leaving::Reboot,
        .can_verify = true,
        .agent_version = "1.2.3",
        .address = "192.0.2.7",
    };
    scene.reports(report);
    CHECK(std::get<HeartbeatReceived>(scene.log().back().payload) == expected);

    // What is known of the agent is not said again, and a report without a nonce cannot verify.
    report.report = 18;
    report.nonce.clear();
    scene.reports(report);
    expected.report = 18;
    expected.can_verify = false;
    expected.agent_version.clear();
    expected.address.clear();
    CHECK(std::get<HeartbeatReceived>(scene.log().back().payload) == expected);
    CHECK(scene.server().agent.version == "1.2.3");
    CHECK(scene.server().agent.address == "192.0.2.7");
    CHECK(!scene.server().agent.can_verify);
}

TEST_CASE("decide: an ignored report says why (1.4)") {
    auto scene = Scene::running();
    auto report = says_on(boot(1));
    report.report = 3;
    scene.reports(report);
    scene.reports(report);
    CHECK(
        std::get<ReportIgnored>(scene.log().back().payload) ==
        ReportIgnored{HeartbeatStatus::On, boot(1), 3, IgnoredBecause::StaleReport}
    );
    scene.reports(says_on(boot(2)));
    report = says_stopping(boot(1));
    scene.reports(report);
    CHECK(
        std::get<ReportIgnored>(scene.log().back().payload) ==
        ReportIgnored{
            HeartbeatStatus::Stopping, boot(1), std::nullopt, IgnoredBecause::ReplacedIdentity}
    );
}

TEST_CASE("decide: a report number starts anew with each boot, and without one counts (1.4)") {
    auto scene = Scene::running();
    auto report = says_on(boot(1));
    report.report = 1000;
    scene.reports(report);
    CHECK(scene.reports(says_on(boot(1))).events == Names{"HeartbeatReceived"});
    auto rebooted = says_on(boot(2));
    rebooted.report = 1;
    CHECK(scene.reports(rebooted).events == Names{"HeartbeatReceived"});
    auto anonymous = says_on();
    anonymous.report = 1;
    CHECK(scene.reports(anonymous).events == Names{"HeartbeatReceived"});
    CHECK(scene.reports(anonymous).events == Names{"HeartbeatReceived"});
}

TEST_CASE("decide: two replaced identities that report once each set nobody aside (1.4)") {
    auto scene = Scene::running();
    scene.reports(says_on(boot(2)));
    scene.reports(says_on(boot(3)));
    CHECK(scene.reports(says_on(boot(1))).events == Names{"ReportIgnored"});
    CHECK(scene.reports(says_on(boot(2))).events == Names{"ReportIgnored"});
    CHECK(!scene.state().set_aside);
    CHECK(scene.reports(says_on(boot(2))).events == Names{"ReportIgnored", "AgentSetAside"});
    CHECK(std::get<AgentSetAside>(scene.log().back().payload).identity == boot(2));
    CHECK(scene.reports(says_on(boot(1))).events == Names{"ReportIgnored"}); // once is enough
}

// --- deadlines ---

TEST_CASE("decide: the standby time elapses once, and says whether it was late (1.5)") {
    auto scene = Scene::going_off();
    auto const request = scene.state().request->sequence;
    CHECK(scene.standby_elapses(true) == Names{"StandbyElapsed"});
    CHECK(std::get<StandbyElapsed>(scene.log().back().payload) == StandbyElapsed{request, true});
    CHECK(scene.standby_elapses().empty());
}

TEST_CASE("decide: silence is concluded once, of the last heartbeat (1.4)") {
    auto scene = Scene::running();
    auto const heartbeat = scene.state().last_heartbeat;
    CHECK(scene.falls_silent() == Names{"HeartbeatLost"});
    CHECK(std::get<HeartbeatLost>(scene.log().back().payload) == HeartbeatLost{heartbeat});
    CHECK(scene.falls_silent().empty());
}
