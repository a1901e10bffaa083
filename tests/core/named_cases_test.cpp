// The stories that status model 1.0 and 1.4 were written for, told on core alone: which machines
// stay up and are told so, which go off as asked, and who is not told falsely.
#include "tests/core/scene.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;
using Names = std::vector<std::string>;

namespace {

Report blocked(Report report) {
    report.blocked_by = "/etc/cpm/hold";
    return report;
}

Report numbered(Report report, std::uint64_t number) {
    report.report = number;
    return report;
}

bool says_off(Manifest const& manifest) {
    return manifest.power_status == PowerStatus::Off;
}

/// The answer says ON and the server was adopted; people are told, or not.
void check_adopted(Scene const& scene, Answer const& answer, bool notify) {
    CHECK(answer.events == Names{"HeartbeatReceived", "PowerAdopted"});
    CHECK(!says_off(answer.manifest));
    CHECK(scene.power() == "ON");
    CHECK(scene.actual() == "ManuallyON");
    CHECK(!scene.state().request);
    CHECK(scene.last_adoption().notify == notify);
}

} // namespace

// --- it stays up, and people are told so ---

TEST_CASE("named: the switch that came back at noon darkens nobody (1.0, 1.4)") {
    // 23:00: OFF is asked while the network is already failing; the agent never hears of it.
    auto scene = Scene::going_off();
    auto const off = scene.state().request->sequence;
    scene.falls_silent();
    CHECK(scene.actual() == "Crashed");
    scene.standby_elapses();
    CHECK(scene.actual() == "Crashed");
    // 12:00: the same boot reports as if nothing had been.
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
    CHECK(scene.last_adoption().overruled == off);
    CHECK(scene.last_adoption().identity == boot(1));
    CHECK(!says_off(scene.held_call(boot(1))));
    scene.reports(says_on(boot(1)));
    CHECK(scene.actual() == "ON");
}

TEST_CASE("named: the switch came back at noon, and an OFF had settled the silent server (1.4)") {
    auto scene = Scene::running();
    scene.falls_silent();
    scene.asks(PowerStatus::Off);
    CHECK(scene.actual() == "OFF");
    CHECK(scene.rule() == "A");
    CHECK(!says_off(scene.held_call(boot(1)))); // it records that it is off, and orders nothing
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a manager away over the standby time, before the first Stopping (1.4)") {
    auto scene = Scene::going_off();
    CHECK(says_off(scene.reports(says_on(boot(1))).manifest));
    scene.manager_starts();
    CHECK(scene.standby_elapses(true) == Names{"StandbyElapsed"});
    CHECK(scene.actual() == "Unknown"); // OFF/ON/ON, once the standby time has elapsed
    auto const answer = scene.reports(says_on(boot(1)));
    CHECK(!says_off(answer.manifest));
    CHECK(scene.actual() == "Unknown");
    // The agent had accepted the order while nobody listened: its Stopping is no answer any more.
    CHECK(!says_off(scene.reports(says_stopping(boot(1))).manifest));
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a manager away over the standby time, after the first Stopping (1.4)") {
    auto scene = Scene::going_off();
    CHECK(says_off(scene.reports(says_stopping(boot(1))).manifest));
    CHECK(scene.state().request->answered);
    scene.manager_starts();
    CHECK(!scene.state().request->answered);
    scene.standby_elapses(true);
    CHECK(scene.actual() == "ShutdownDelayed");
    auto const answer = scene.reports(says_stopping(boot(1)));
    CHECK(!says_off(answer.manifest));
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a manager that is back within the standby time goes on with the OFF (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(says_stopping(boot(1)));
    scene.manager_starts();
    CHECK(says_off(scene.reports(says_stopping(boot(1))).manifest));
    scene.standby_elapses();
    CHECK(scene.actual() == "ShutdownDelayed");
    CHECK(says_off(scene.reports(says_stopping(boot(1))).manifest)); // an unbroken row
    scene.falls_silent();
    CHECK(scene.actual() == "OFF");
}

TEST_CASE("named: the router of the nightly fleet takes the others' OFF down with it (1.4)") {
    // All are asked to go off; the router goes first, so the others fall silent before they hear
    // of it, run on all night and report again when it is back in the morning.
    auto never_heard = Scene::going_off();
    never_heard.falls_silent();
    auto had_accepted = Scene::going_off();
    had_accepted.reports(says_stopping(boot(1)));
    had_accepted.falls_silent();
    CHECK(had_accepted.actual() == "OFF"); // as far as anybody can tell
    for (auto* scene : {&never_heard, &had_accepted}) {
        scene->standby_elapses();
        CHECK(!says_off(scene->held_call(boot(1))));
    }
    check_adopted(never_heard, never_heard.reports(says_on(boot(1))), true);
    // It was taken for OFF, and it is the very boot that should have gone: people are told.
    auto const answer = had_accepted.reports(says_stopping(boot(1)));
    CHECK(!says_off(answer.manifest));
    check_adopted(had_accepted, had_accepted.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a hold lifted at noon does not let last night's OFF through (1.4)") {
    auto scene = Scene::going_off();
    CHECK(says_off(scene.reports(blocked(says_stopping(boot(1)))).manifest));
    scene.standby_elapses();
    CHECK(scene.actual() == "ShutdownDelayed");
    CHECK(!says_off(scene.reports(blocked(says_stopping(boot(1)))).manifest)); // the veto voids it
    CHECK(!says_off(scene.reports(says_stopping(boot(1))).manifest));          // lifted at noon
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a hold put on during ShutdownDelayed breaks the row for good (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(says_stopping(boot(1)));
    scene.standby_elapses();
    CHECK(says_off(scene.reports(says_stopping(boot(1))).manifest));
    CHECK(!says_off(scene.reports(blocked(says_stopping(boot(1)))).manifest));
    CHECK(!says_off(scene.reports(says_stopping(boot(1))).manifest));
}

TEST_CASE("named: a hold lifted within the standby time lets the OFF go on (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(blocked(says_stopping(boot(1))));
    CHECK(says_off(scene.reports(says_stopping(boot(1))).manifest));
    scene.standby_elapses();
    CHECK(says_off(scene.reports(says_stopping(boot(1))).manifest));
}

TEST_CASE("named: a machine that refused to go down and fell silent is not known to be off (1.3)") {
    auto scene = Scene::going_off();
    scene.reports(blocked(says_stopping(boot(1))));
    scene.falls_silent();
    CHECK(scene.actual() == "Unknown");
    CHECK(scene.rule() == "B");
}

TEST_CASE("named: a machine power-cycled by hand meanwhile stays up (1.0, 1.4)") {
    auto quick = Scene::going_off(); // between two heartbeats
    check_adopted(quick, quick.reports(says_on(boot(2))), true);

    auto after_stopping = Scene::going_off();
    after_stopping.reports(says_stopping(boot(1)));
    check_adopted(after_stopping, after_stopping.reports(says_on(boot(2))), true);

    auto after_silence = Scene::going_off();
    after_silence.falls_silent();
    check_adopted(after_silence, after_silence.reports(says_on(boot(2))), true);

    auto resumed = Scene::going_off(); // the same boot, but a resume
    check_adopted(resumed, resumed.reports(says_on(boot(1, 1))), true);
}

TEST_CASE("named: a new boot that says Stopping first is not taken down either (1.0)") {
    auto scene = Scene::going_off();
    auto const answer = scene.reports(says_stopping(boot(2)));
    CHECK(!says_off(answer.manifest));
    CHECK(!says_off(scene.reports(says_stopping(boot(2))).manifest));
    check_adopted(scene, scene.reports(says_on(boot(2))), true);
}

TEST_CASE("named: the late boot after OFF stays up (1.0, 1.4)") {
    // ON was asked, it did not come up in time, and somebody settled it by OFF.
    Scene scene;
    scene.asks(PowerStatus::On);
    CHECK(scene.actual() == "Starting");
    scene.standby_elapses();
    CHECK(scene.actual() == "StartupDelayed");
    scene.asks(PowerStatus::Off);
    CHECK(scene.actual() == "OFF");
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: an agent joined on a running machine does not inherit its OFF (1.4)") {
    auto scene = Scene::going_off();
    scene.joins();
    CHECK(!scene.state().boot);
    CHECK(!says_off(scene.held_call(boot(1))));
    // previous ON, and an identity while none is recorded: another one.
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: an agent joined on a machine set OFF before it ever reported (1.4)") {
    Scene scene;
    scene.asks(PowerStatus::Off);
    scene.joins();
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: an ON whose sync failed during ShutdownDelayed leaves no OFF behind (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(says_stopping(boot(1)));
    scene.standby_elapses();
    scene.reports(says_stopping(boot(1)));
    CHECK(scene.actual() == "ShutdownDelayed");
    scene.asks(PowerStatus::On);
    CHECK(scene.actual() == "Unknown"); // ON/Stopping/Stopping
    scene.sync_of_request_failed();
    CHECK(scene.power() == "OFF");
    CHECK(scene.actual() == "ShutdownDelayed");
    CHECK(!scene.state().request->ordered);
    CHECK(!scene.state().request->answered);
    CHECK(!says_off(scene.reports(says_stopping(boot(1))).manifest));
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a clone's report ends the OFF; its second sets the agent aside (1.4)") {
    auto scene = Scene::running();
    scene.reports(says_on(boot(2))); // rebooted: boot(1) is replaced
    scene.asks(PowerStatus::Off);
    CHECK(says_off(scene.held_call(boot(2))));

    auto answer = scene.reports(says_stopping(boot(1)));
    CHECK(answer.events == Names{"ReportIgnored"});
    CHECK(!says_off(answer.manifest));
    CHECK(!says_off(scene.held_call(boot(2)))); // whose OFF would it be?
    CHECK(!scene.state().set_aside);
    CHECK(scene.actual() == "BeforeStopping");

    answer = scene.reports(says_on(boot(1)));
    CHECK(answer.events == Names{"ReportIgnored", "AgentSetAside"});
    CHECK(!says_off(answer.manifest));
    CHECK(scene.state().set_aside);

    // The recorded identity still counts; OFF is refused, ON is not.
    scene.standby_elapses();
    CHECK(scene.reports(says_on(boot(2))).events == Names{"HeartbeatReceived"});
    auto const refused = scene.asks(PowerStatus::Off);
    CHECK(refused.events == Names{"PowerRefused"});
    CHECK(refused.refusal->code == ErrorCode::SetAside);
    CHECK(scene.asks(PowerStatus::On).events == Names{"PowerRequested"});
    CHECK(scene.actual() == "ON");

    scene.standby_elapses();
    scene.reinstated();
    CHECK(scene.asks(PowerStatus::Off).events == Names{"PowerRequested"});
    CHECK(says_off(scene.held_call(boot(2))));
}

TEST_CASE("named: a join ends being set aside (1.4)") {
    auto scene = Scene::running();
    scene.reports(says_on(boot(2)));
    scene.reports(says_on(boot(1)));
    scene.reports(says_on(boot(1)));
    CHECK(scene.state().set_aside);
    scene.joins();
    CHECK(!scene.state().set_aside);
    CHECK(scene.reports(says_on(boot(1))).events == Names{"HeartbeatReceived"});
}

// --- it goes off as asked ---

TEST_CASE("named: an agent restarted within the standby time goes off as asked (1.4)") {
    // A shell agent forgets that it was Stopping, and says ON.
    auto scene = Scene::going_off();
    scene.reports(says_stopping(boot(1)));
    auto const standby = scene.state().request;
    auto const answer = scene.reports(says_on(boot(1)));
    CHECK(answer.events == Names{"HeartbeatReceived", "PowerReasserted"});
    CHECK(says_off(answer.manifest));
    CHECK(scene.actual() == "BeforeStopping");
    CHECK(scene.power() == "OFF");
    CHECK(scene.state().request->sequence == standby->sequence); // it keeps its end
    scene.reports(says_stopping(boot(1)));
    scene.falls_silent();
    CHECK(scene.actual() == "OFF");
}

TEST_CASE("named: a short outage within the standby time does not lose the OFF (1.4)") {
    auto scene = Scene::going_off();
    scene.falls_silent();
    auto const answer = scene.reports(says_on(boot(1)));
    CHECK(answer.events == Names{"HeartbeatReceived", "PowerReasserted"});
    CHECK(says_off(answer.manifest));
    CHECK(scene.actual() == "BeforeStopping");
}

TEST_CASE("named: an agent without an identity is adopted, never re-asserted (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(says_stopping());
    check_adopted(scene, scene.reports(says_on()), true);
}

TEST_CASE("named: two heartbeats that overtake each other do not undo the OFF (1.4)") {
    auto scene = Scene::running();
    scene.reports(numbered(says_on(boot(1)), 4));
    scene.asks(PowerStatus::Off);
    scene.reports(numbered(says_stopping(boot(1)), 6));
    CHECK(scene.actual() == "Stopping");
    auto const answer = scene.reports(numbered(says_on(boot(1)), 5)); // sent before it
    CHECK(answer.events == Names{"ReportIgnored"});
    CHECK(!says_off(answer.manifest));
    CHECK(!answer.manifest.order);
    CHECK(scene.actual() == "Stopping");
    // However often: nobody is set aside for it, and the OFF goes on.
    CHECK(scene.reports(numbered(says_on(boot(1)), 6)).events == Names{"ReportIgnored"});
    CHECK(!scene.state().set_aside);
    CHECK(says_off(scene.reports(numbered(says_stopping(boot(1)), 7)).manifest));
    scene.falls_silent();
    CHECK(scene.actual() == "OFF");
}

// --- people are not told falsely ---

TEST_CASE("named: the button pressed on the morning after a completed OFF is no news (1.4)") {
    auto scene = Scene::gone_off();
    CHECK(scene.actual() == "OFF");
    CHECK(scene.rule() == "OFF/Stopping/None");
    check_adopted(scene, scene.reports(says_on(boot(2))), false);
    scene.reports(says_on(boot(2)));
    CHECK(scene.actual() == "ON");
}

TEST_CASE("named: a server that was never asked for OFF comes up without a notice (1.4)") {
    Scene scene;
    check_adopted(scene, scene.reports(says_on(boot(1))), false);
    CHECK(!scene.last_adoption().overruled);
}

TEST_CASE("named: the boot that was taken for OFF reports again, and people are told (1.4)") {
    auto scene = Scene::gone_off();
    check_adopted(scene, scene.reports(says_on(boot(1))), true);
}

TEST_CASE("named: a server that refused and fell silent comes up, and people are told (1.4)") {
    auto scene = Scene::going_off();
    scene.reports(blocked(says_stopping(boot(1))));
    scene.falls_silent();
    scene.standby_elapses();
    check_adopted(scene, scene.reports(says_on(boot(2))), true);
}

TEST_CASE("named: a crash settled by OFF, then ON: it wakes and comes up (1.3, 1.4)") {
    auto scene = Scene::running();
    scene.falls_silent();
    CHECK(scene.actual() == "Crashed");
    scene.asks(PowerStatus::Off);
    CHECK(scene.actual() == "OFF");
    scene.standby_elapses();
    scene.asks(PowerStatus::On);
    CHECK(scene.actual() == "Starting");
    CHECK(scene.reports(says_on(boot(2))).events == Names{"HeartbeatReceived"});
    CHECK(scene.actual() == "ON");
}
