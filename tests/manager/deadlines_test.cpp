// Deadlines become events on time, and silence counts only while the manager listened (status
// model 1.5).
#include "tests/manager/rig.hpp"

#include <random>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

core::Sequence heartbeat_lost(Rig const& rig) {
    return std::get<core::HeartbeatLost>(rig.last("HeartbeatLost").payload).heartbeat;
}

manager::UpdateServer interval(core::ServerId server, core::seconds value) {
    manager::UpdateServer command;
    command.actor = kAlice;
    command.server = server;
    command.edit = [value](core::ServerConfig& config) { config.heartbeat_interval = value; };
    return command;
}

} // namespace

TEST_CASE("deadlines: never early and at most 100 ms late, whenever the last report came (1.5)") {
    auto const seed = std::random_device{}();
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    Rig rig;
    auto const id = rig.running("n", 1);
    for (int i = 0; i < 50; ++i) {
        rig.clock.advance(std::chrono::microseconds(random() % 3'000'000));
        rig.says_on(id);
        auto const reported = rig.clock.now().wall;
        auto const losses = rig.all("HeartbeatLost").size();
        while (rig.all("HeartbeatLost").size() == losses) {
            // Other things to do, too: a round at any time must not bring a deadline forward.
            auto const until = rig.engine().next_due().value();
            auto const pause = std::chrono::microseconds(random() % 20'000'000);
            rig.clock.advance_to(std::min(until, rig.clock.now().mono + pause));
            REQUIRE(rig.round());
            REQUIRE(rig.clock.now().wall < reported + 31s);
        }
        auto const lost = rig.last("HeartbeatLost").at;
        CHECK(lost >= reported + 30s);
        CHECK(lost <= reported + 30100ms);
    }
}

TEST_CASE("deadlines: a loss names the heartbeat it judges (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.pass(10s);
    rig.says_on(id);
    auto const judged = rig.log().head().sequence;
    rig.pass(31s);
    CHECK(heartbeat_lost(rig) == judged);
    CHECK(rig.last("HeartbeatLost").cause == judged);
    CHECK(rig.last("HeartbeatLost").actor.kind == core::ActorKind::Timer);
    CHECK(rig.all("HeartbeatLost").size() == 1);
    rig.pass(1h);
    CHECK(rig.all("HeartbeatLost").size() == 1);
}

TEST_CASE("deadlines: a report in the same round as its deadline wins (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.clock.advance(40s);
    rig.says_on(id);
    CHECK(rig.actual(id) == "ON");
    rig.pass(29999ms);
    CHECK(rig.all("HeartbeatLost").empty());
    rig.pass(101ms);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("deadlines: silence while nobody listened counts anew (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.clock.advance(40s);
    REQUIRE(rig.round(false));
    CHECK(rig.actual(id) == "ON");
    rig.pass(29999ms);
    CHECK(rig.actual(id) == "ON");
    rig.pass(101ms);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("deadlines: a standby time passes also while nobody listened (1.5)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.wants(id, PowerStatus::On);
    rig.clock.advance(301s);
    REQUIRE(rig.round(false));
    CHECK(rig.actual(id) == "StartupDelayed");
}

TEST_CASE("deadlines: stopped between reading the clock and the round, nobody is lost (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.clock.advance(20s);
    auto const now = rig.clock.now();
    rig.clock.advance(90s); // SIGSTOP
    REQUIRE(rig.engine().round({}, now, true));
    CHECK(rig.actual(id) == "ON");
    // The next round is told that it did not listen.
    REQUIRE(rig.round(false));
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("deadlines: an agent has its whole time from the answer, however slow the disk (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.log().during_append = [&] { rig.clock.advance(1500ms); };
    rig.says_on(id);
    auto const answered = rig.clock.now().wall;
    rig.log().during_append = {};
    rig.pass(29999ms);
    CHECK(rig.actual(id) == "ON");
    rig.pass(101ms);
    CHECK(rig.actual(id) == "Crashed");
    CHECK(rig.last("HeartbeatLost").at >= answered + 30s);
}

TEST_CASE("deadlines: an interval counts from the answer that told it (1.1)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.pass(5s);
    REQUIRE(rig.ask(interval(id, 1s)));
    rig.pass(24s); // the last answer still said 10 s: three of them are allowed
    CHECK(rig.actual(id) == "ON");
    auto const told = rig.says_on(id);
    CHECK(told.manifest.heartbeat_interval == 1s);
    CHECK(told.version == "ON.1");
    REQUIRE(rig.ask(interval(id, 3600s)));
    rig.pass(2999ms);
    CHECK(rig.actual(id) == "ON");
    rig.pass(101ms);
    CHECK(rig.actual(id) == "Crashed");
    CHECK(rig.says_on(id).manifest.heartbeat_interval == 3600s);
    rig.pass(3h - 1ms);
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("deadlines: setting the wall clock moves none of them (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const starting = rig.enrolled("m", 2);
    rig.wants(starting, PowerStatus::On);
    rig.clock.step_wall(24h);
    rig.pass(29900ms);
    CHECK(rig.actual(id) == "ON");
    rig.clock.step_wall(-48h);
    rig.pass(200ms);
    CHECK(rig.actual(id) == "Crashed");
    rig.pass(269800ms);
    CHECK(rig.actual(starting) == "Starting");
    rig.pass(200ms);
    CHECK(rig.actual(starting) == "StartupDelayed");
}

TEST_CASE("deadlines: a removed server has none (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    REQUIRE(rig.ask(manager::RemoveServer{kAlice, id, {}, true}));
    rig.happened();
    CHECK_FALSE(rig.engine().next_due());
    rig.pass(1h);
    CHECK(rig.happened().empty());
}

TEST_CASE("deadlines: a released standby time does not elapse as well (1.4)") {
    Rig rig;
    rig.set("release_standby_when_settled", "true");
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    rig.pass(31s);
    CHECK(rig.actual(id) == "OFF");
    CHECK(rig.all("StandbyReleased").size() == 1);
    rig.wants(id, PowerStatus::On); // at once: the standby time is closed
    rig.pass(299900ms);
    CHECK(rig.actual(id) == "Starting");
    rig.pass(200ms);
    CHECK(rig.actual(id) == "StartupDelayed");
    CHECK(rig.all("StandbyElapsed").size() == 1);
}

TEST_CASE("deadlines: an adopted server has no standby time left to elapse (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.says_on(id, 2); // another boot
    CHECK(rig.actual(id) == "ManuallyON");
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id, 2);
    rig.pass(299900ms);
    CHECK(rig.all("StandbyElapsed").empty());
    rig.pass(200ms);
    CHECK(rig.all("StandbyElapsed").size() == 1);
}
