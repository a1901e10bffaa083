// What a start makes of the log it finds (status model 1.5).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::PowerStatus;

namespace {

core::WallTime elapsed_at(Rig const& rig) {
    return rig.last("StandbyElapsed").at;
}

bool last_elapsed_late(Rig const& rig) {
    return std::get<core::StandbyElapsed>(rig.last("StandbyElapsed").payload).late;
}

core::ServerId shutdown_delayed(Rig& rig) {
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    for (int i = 0; i < 31; ++i) {
        rig.says_stopping(id);
        rig.pass(10s);
    }
    REQUIRE(rig.actual(id) == "ShutdownDelayed");
    return id;
}

} // namespace

TEST_CASE("start: the log is replayed and served, and says that the manager started (1.0)") {
    Rig rig;
    auto const on = rig.running("on", 1);
    auto const off = rig.gone_off("off", 2);
    rig.says_on(on);
    auto const before = rig.log().head().sequence.value;
    rig.happened();
    rig.restart();
    CHECK(rig.heard().history() == before);
    CHECK(rig.happened() == Names{"ManagerStarted"});
    CHECK(rig.actual(off) == "OFF");
    CHECK(rig.replayed() == rig.heard().fleet());
    rig.says_on(on);
    CHECK(rig.replayed() == rig.heard().fleet());
}

TEST_CASE("start: killed at 40 % of a standby time, it elapses when it would have (1.5)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    auto const asked = rig.clock.now().wall;
    rig.wants(id, PowerStatus::On);
    rig.pass(120s);
    rig.restart(7s);
    rig.pass(172999ms);
    CHECK(rig.actual(id) == "Starting");
    CHECK(rig.all("StandbyElapsed").empty());
    rig.pass(101ms);
    CHECK(rig.actual(id) == "StartupDelayed");
    CHECK(elapsed_at(rig) >= asked + 300s);
    CHECK(elapsed_at(rig) <= asked + 300100ms);
    CHECK_FALSE(last_elapsed_late(rig));
}

TEST_CASE("start: what elapsed while the manager was away elapses once, late (1.5)") {
    Rig rig;
    auto const first = rig.enrolled("a", 1);
    auto const second = rig.enrolled("b", 2);
    auto const settled = rig.gone_off("c", 3);
    rig.wants(first, PowerStatus::On);
    rig.wants(second, PowerStatus::On);
    rig.happened();
    rig.restart(301s);
    CHECK(rig.happened() == Names{"ManagerStarted", "StandbyElapsed", "StandbyElapsed"});
    CHECK(last_elapsed_late(rig));
    CHECK(rig.actual(first) == "StartupDelayed");
    CHECK(rig.actual(settled) == "OFF");
    rig.restart(301s);
    CHECK(rig.happened() == Names{"ManagerStarted"});
}

TEST_CASE("start: a wall clock that went back gives a standby time anew, never more (1.5)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.wants(id, PowerStatus::On);
    rig.pass(120s);
    rig.kill();
    rig.clock.step_wall(-24h);
    REQUIRE(rig.start());
    rig.pass(299900ms);
    CHECK(rig.actual(id) == "Starting");
    rig.pass(200ms);
    CHECK(rig.actual(id) == "StartupDelayed");
}

TEST_CASE("start: a wall clock that went forward lets a standby time elapse at once (1.5)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.wants(id, PowerStatus::On);
    rig.kill();
    rig.clock.step_wall(24h);
    REQUIRE(rig.start());
    CHECK(rig.actual(id) == "StartupDelayed");
    CHECK(last_elapsed_late(rig));
}

TEST_CASE("start: the monotonic clock may begin anew with a boot of the machine (1.5)") {
    Rig rig;
    auto const silent = rig.running("a", 1);
    auto const starting = rig.enrolled("b", 2);
    rig.wants(starting, PowerStatus::On);
    rig.pass(20s);
    rig.kill();
    rig.clock.step_wall(10s);
    rig.clock.boot();
    REQUIRE(rig.start());
    rig.pass(29900ms);
    CHECK(rig.actual(silent) == "ON");
    rig.pass(200ms);
    CHECK(rig.actual(silent) == "Crashed");
    rig.pass(239700ms);
    CHECK(rig.actual(starting) == "Starting");
    rig.pass(300ms);
    CHECK(rig.actual(starting) == "StartupDelayed");
}

TEST_CASE("start: silence counts from the start, for nobody listened before (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.restart(10h);
    CHECK(rig.actual(id) == "ON");
    rig.pass(29999ms);
    CHECK(rig.actual(id) == "ON");
    rig.pass(101ms);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("start: silence counts from when the start was written, not from when it began (1.5)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.kill();
    rig.open();
    rig.log().during_append = [&] { rig.clock.advance(40s); };
    REQUIRE(rig.start());
    rig.log().during_append = {};
    CHECK(rig.round());
    CHECK(rig.actual(id) == "ON");
    rig.pass(30100ms);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("start: an OFF that was answered before is not answered any more (1.2, 1.4)") {
    Rig rig;
    auto const id = shutdown_delayed(rig);
    CHECK(rig.says_stopping(id).manifest.power_status == PowerStatus::Off);
    rig.restart();
    CHECK_FALSE(rig.server(id).state.request->answered);
    CHECK(rig.says_stopping(id).manifest.power_status == PowerStatus::On);
}

TEST_CASE("start: an OFF whose standby time is open stands over a restart (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.restart();
    CHECK(rig.says_stopping(id).manifest.power_status == PowerStatus::Off);
}

TEST_CASE("start: accounts and remembered answers are there again, also from disk (2.2)") {
    Rig rig(Disk::RocksDb);
    auto const session = rig.ask(manager::SetUp{"alice", "hashed", "127.0.0.1"});
    REQUIRE(session);
    auto const token = rig.ask(manager::CreateToken{kAlice, "ci", core::Role::Viewer, {}});
    REQUIRE(token);
    auto const id = rig.add("n", {});
    auto const join = rig.ask(manager::CreateJoinToken{kAlice, id, false});
    REQUIRE(join);
    auto const agent = rig.join(id, {mac(1)});
    rig.restart();

    manager::Accounts accounts;
    for (auto const& record : rig.heard().records())
        REQUIRE(accounts.apply(record));
    CHECK(accounts.find_user("alice")->password_hash == "hashed");
    CHECK(accounts.find_session(manager::hash_secret(session->secret))->username == "alice");
    CHECK(accounts.find_token(manager::hash_secret(token->secret))->name == "ci");
    CHECK(accounts.find_agent(manager::hash_secret(agent))->server == id);
    CHECK(rig.ask(manager::SetUp{"mallory", "x", ""}).error().code == core::ErrorCode::Conflict);

    manager::JoinAgent again;
    again.join_token = join->join_token;
    again.machine = {"host", {mac(1)}};
    CHECK(rig.ask(std::move(again)));
}

TEST_CASE("start: an account record that cannot be read stops it, and is named (2.2)") {
    Rig rig;
    eventstore::RecordChange const damaged{eventstore::Table::Accounts, "user/alice", "{"};
    REQUIRE(rig.log().append(rig.log().head().sequence, {}, std::span(&damaged, 1)));
    rig.kill();
    auto const started = rig.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code == core::ErrorCode::Corrupt);
    CHECK(started.error().detail.find("user/alice") != std::string::npos);
}

TEST_CASE("start: a start that cannot be written is no start, and arms nothing (2.2)") {
    Rig rig;
    rig.wants(rig.enrolled("n", 1), PowerStatus::On);
    rig.kill();
    auto const packets = rig.sender.sent.size();
    rig.open();
    rig.log().append_fails = true;
    auto const started = rig.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code == core::ErrorCode::Storage);
    CHECK_FALSE(rig.engine().next_due());
    CHECK_FALSE(rig.round());
    CHECK(rig.sender.sent.size() == packets);
}

TEST_CASE("stop: says so in the log and leaves the witness of its last event (2.2)") {
    Rig rig;
    rig.running("n", 1);
    rig.happened();
    rig.journal.clear();
    REQUIRE(rig.engine().stop());
    CHECK(rig.happened() == Names{"ManagerStopped"});
    auto const head = std::to_string(rig.log().head().sequence.value);
    CHECK(
        rig.journal.lines() ==
        Names{"durable to " + head, "published to " + head, "witness of " + head}
    );
}
