// Magic packets (status model 1.6).
#include "manager/waker.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::PowerStatus;

namespace {

using Times = std::vector<long>;

core::MonoTime now(Rig const& rig) {
    return rig.clock.now().mono;
}

std::vector<core::WakeSent> wakes(Rig const& rig) {
    std::vector<core::WakeSent> found;
    for (auto const& event : rig.all("WakeSent"))
        found.push_back(std::get<core::WakeSent>(event.payload));
    return found;
}

manager::RequestPower on(core::ServerId server) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = PowerStatus::On;
    return command;
}

void all_at_once(Rig& rig, std::vector<core::ServerId> const& servers) {
    std::vector<std::optional<core::Result<manager::RequestPower::Outcome>>> told(servers.size());
    for (std::size_t i = 0; i < servers.size(); ++i)
        rig.queue(on(servers[i]), told[i]);
    REQUIRE(rig.round());
    for (auto const& outcome : told)
        REQUIRE(outcome.value());
}

void edit(Rig& rig, core::ServerId id, std::function<void(core::ServerConfig&)> change) {
    manager::UpdateServer command;
    command.actor = kAlice;
    command.server = id;
    command.edit = std::move(change);
    REQUIRE(rig.ask(std::move(command)));
}

/// A server whose machine is still going down when ON is asked for; its first packet was sent.
core::ServerId asked_on_while_stopping(Rig& rig) {
    auto const id = rig.running("n", 1);
    rig.set("standby_time_seconds", "20");
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    rig.pass(21s);
    rig.says_stopping(id);
    REQUIRE(rig.actual(id) == "ShutdownDelayed");
    rig.wants(id, PowerStatus::On);
    rig.pass(0s);
    REQUIRE(rig.sender.sent.size() == 1);
    return id;
}

} // namespace

TEST_CASE("wake: ON sends one packet to each MAC at once, and records each (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1), mac(2)});
    rig.happened();
    auto const request = rig.wants(id, PowerStatus::On);
    auto const asked = now(rig);
    rig.pass(0s);
    CHECK(rig.packets(asked) == Times{0, 0});
    CHECK(rig.sender.sent[0].target.mac == mac(1).bytes);
    CHECK(rig.sender.sent[1].target.mac == mac(2).bytes);
    CHECK(rig.happened() == Names{"PowerRequested", "WakeSent", "WakeSent"});
    for (auto const& wake : wakes(rig)) {
        CHECK(wake.request == request);
        CHECK(wake.ok);
        CHECK(wake.way == "UDP 255.255.255.255 port 9 by eth0");
        CHECK(wake.detail.empty());
    }
    auto const events = rig.all("WakeSent");
    CHECK(events[0].decision == events[1].decision);
    CHECK(events[0].cause == request);
    CHECK(events[0].actor.kind == core::ActorKind::Timer);
    CHECK(rig.server(id).wakes.rounds == 1);
}

TEST_CASE("wake: again after 1, 2, 4 ... seconds while Starting, and no more when delayed (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.wants(id, PowerStatus::On);
    auto const asked = now(rig);
    rig.pass(24h);
    auto const times = rig.packets(asked);
    long const nominal[] = {0, 1000, 3000, 7000, 15000, 31000, 63000, 127000, 255000};
    REQUIRE(times.size() == std::size(nominal));
    for (std::size_t i = 0; i < times.size(); ++i) {
        CHECK(times[i] >= nominal[i]);
        CHECK(times[i] <= nominal[i] + 100 * long(i));
    }
    CHECK(rig.actual(id) == "StartupDelayed");
}

TEST_CASE("wake: the pause doubles, and stays beyond any standby time (1.6)") {
    CHECK(manager::wake_pause(1) == 1s);
    CHECK(manager::wake_pause(2) == 2s);
    CHECK(manager::wake_pause(10) == 512s);
    CHECK(manager::wake_pause(18) > 24h);
    CHECK(manager::wake_pause(4'000'000'000U) == manager::wake_pause(18));
}

TEST_CASE("wake: no packet after the first ON (1.6)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.wants(id, PowerStatus::On);
    auto const asked = now(rig);
    rig.pass(5s);
    rig.says_on(id);
    CHECK(rig.actual(id) == "ON");
    rig.pass(25s);
    CHECK(rig.packets(asked).size() == 3);
    // Nor when it falls silent later: Crashed is not Starting.
    rig.pass(1h);
    CHECK(rig.actual(id) == "Crashed");
    CHECK(rig.packets(asked).size() == 3);
}

TEST_CASE("wake: no packet while a server asked to be ON still reports Stopping (1.6)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.says_on(id);
    rig.pass(31s); // Crashed
    rig.wants(id, PowerStatus::On);
    rig.pass(500ms);
    REQUIRE(rig.actual(id) == "Starting");
    REQUIRE(rig.sender.sent.size() == 1);
    rig.says_stopping(id); // it was only unreachable
    CHECK(rig.actual(id) == "Unknown");
    for (int i = 0; i < 4; ++i) {
        rig.pass(10s);
        rig.says_stopping(id);
    }
    CHECK(rig.sender.sent.size() == 1);
}

TEST_CASE("wake: a server still stopping is woken when it falls silent with ON requested (1.6)") {
    Rig rig;
    auto const id = asked_on_while_stopping(rig);
    rig.pass(10s);
    rig.says_stopping(id);
    auto const heard = now(rig);
    rig.pass(29900ms);
    CHECK(rig.sender.sent.size() == 1);
    rig.pass(200ms);
    CHECK(rig.sender.sent.size() == 2);
    CHECK(rig.packets(heard).back() >= 30000);
    CHECK(rig.packets(heard).back() <= 30100);
}

TEST_CASE("wake: also when it falls silent after the standby time of that ON (1.6)") {
    Rig rig;
    auto const id = asked_on_while_stopping(rig);
    for (int i = 0; i < 5; ++i) {
        rig.pass(10s);
        rig.says_stopping(id);
    }
    CHECK(rig.sender.sent.size() == 1);
    rig.pass(31s);
    CHECK(rig.actual(id) == "StartupDelayed");
    CHECK(rig.sender.sent.size() == 2);
    rig.pass(1h);
    CHECK(rig.sender.sent.size() == 2);
}

TEST_CASE("wake: a falling silent that becomes Starting goes on with growing pauses (1.6)") {
    Rig rig;
    auto const id = asked_on_while_stopping(rig);
    rig.set("standby_time_seconds", "300");
    rig.pass(21s);
    rig.says_stopping(id);
    rig.wants(id, PowerStatus::On);
    rig.pass(1s);
    auto const before = rig.sender.sent.size();
    rig.says_stopping(id);
    rig.pass(31s);
    CHECK(rig.actual(id) == "Starting");
    CHECK(rig.sender.sent.size() == before + 1);
    rig.pass(2s); // the second round of this request: 2 s until the third
    CHECK(rig.sender.sent.size() == before + 2);
}

TEST_CASE("wake: many servers are woken one after the other (1.6)") {
    Rig rig;
    std::vector<core::ServerId> servers;
    for (std::uint8_t i = 1; i <= 5; ++i)
        servers.push_back(rig.add("n" + std::to_string(i), {mac(i)}));
    auto const asked = now(rig);
    all_at_once(rig, servers);
    rig.pass(900ms);
    auto const times = rig.packets(asked);
    REQUIRE(times.size() == 5);
    for (std::size_t i = 0; i < times.size(); ++i) {
        CHECK(times[i] >= 200 * long(i));
        CHECK(times[i] <= 200 * long(i) + 100);
    }
    for (auto id : servers)
        CHECK(rig.server(id).wakes.rounds == 1);
}

TEST_CASE("wake: without a stagger all are woken in one round (1.6)") {
    Rig rig;
    rig.set("wake_stagger_ms", "0");
    auto const a = rig.add("a", {mac(1)});
    auto const b = rig.add("b", {mac(2)});
    auto const asked = now(rig);
    all_at_once(rig, {a, b});
    rig.pass(0s);
    CHECK(rig.packets(asked) == Times{0, 0});
}

TEST_CASE("wake: a server removed, told OFF or ON before its turn gets no packet (1.6)") {
    Rig rig;
    rig.set("release_standby_when_settled", "true");
    std::vector<core::ServerId> servers;
    for (std::uint8_t i = 1; i <= 3; ++i)
        servers.push_back(rig.enrolled("n" + std::to_string(i), i));
    all_at_once(rig, servers);
    rig.pass(0s);
    REQUIRE(rig.sender.sent.size() == 1);
    REQUIRE(rig.ask(manager::RemoveServer{kAlice, servers[1], {}, true}));
    rig.says_on(servers[2]);
    auto off = on(servers[2]);
    off.target = PowerStatus::Off;
    REQUIRE(rig.ask(off));
    rig.pass(900ms);
    CHECK(rig.sender.sent.size() == 1);
}

TEST_CASE("wake: a server that is ON before its turn came needs no packet (1.6)") {
    Rig rig;
    auto const first = rig.enrolled("a", 1);
    auto const second = rig.enrolled("b", 2);
    all_at_once(rig, {first, second});
    rig.pass(0s);
    rig.says_on(second);
    rig.pass(900ms);
    CHECK(rig.sender.sent.size() == 1);
}

TEST_CASE("wake: a turn that comes after the standby time is not lost (1.6)") {
    Rig rig;
    rig.set("wake_stagger_ms", "5000");
    rig.set("standby_time_seconds", "1");
    auto const first = rig.add("a", {mac(1)});
    auto const second = rig.add("b", {mac(2)});
    all_at_once(rig, {first, second});
    rig.pass(4s);
    CHECK(rig.actual(second) == "StartupDelayed");
    CHECK(rig.server(second).wakes.rounds == 0);
    rig.pass(1100ms);
    CHECK(rig.server(second).wakes.rounds == 1);
}

TEST_CASE("wake: ON asked of a server that still reports ON is one packet, too (1.6)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.set("standby_time_seconds", "20");
    rig.wants(id, PowerStatus::Off);
    rig.pass(21s);
    rig.says_on(id);
    REQUIRE(rig.actual(id) == "Unknown"); // it did not obey in time
    rig.wants(id, PowerStatus::On);
    rig.pass(10s);
    CHECK(rig.sender.sent.size() == 1);
}

TEST_CASE("wake: a failure is recorded with its reason, and tried again (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.sender.failure = "no interface can broadcast: bring one up";
    rig.wants(id, PowerStatus::On);
    rig.pass(0s);
    auto const failed = wakes(rig).at(0);
    CHECK_FALSE(failed.ok);
    CHECK(failed.way.empty());
    CHECK(failed.detail == "no interface can broadcast: bring one up");
    rig.sender.failure.clear();
    rig.pass(1100ms);
    CHECK(wakes(rig).at(1).ok);
}

TEST_CASE("wake: a server without a MAC is not woken, and is as soon as it has one (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {});
    rig.wants(id, PowerStatus::On);
    rig.pass(10s);
    CHECK(rig.actual(id) == "Starting");
    CHECK(wakes(rig).empty());
    edit(rig, id, [](core::ServerConfig& config) { config.mac_addresses = {mac(7)}; });
    rig.pass(500ms);
    REQUIRE(rig.sender.sent.size() == 1);
    CHECK(rig.sender.sent[0].target.mac == mac(7).bytes);
}

TEST_CASE("wake: a server that came up by itself before any packet is not woken later (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {});
    rig.wants(id, PowerStatus::On);
    rig.pass(10s);
    rig.join(id, {mac(7)}); // somebody pressed its button
    rig.says_on(id);
    rig.says_on(id);
    rig.pass(400s); // and switched it off by hand
    CHECK(rig.actual(id) == "Crashed");
    CHECK(rig.sender.sent.empty());
    edit(rig, id, [](core::ServerConfig& config) { config.note = "gone"; });
    rig.pass(10s);
    rig.restart();
    rig.pass(10s);
    CHECK(rig.sender.sent.empty());
}

TEST_CASE("wake: the packet goes as the server's settings say, with its password (HTTP 3.2)") {
    Rig rig;
    core::ServerConfig config;
    config.name = "n";
    config.mac_addresses = {mac(1)};
    config.wake.broadcast_address = "192.0.2.255";
    config.wake.ports = {7, 9};
    config.wake.interface = "eth1";
    auto const added = rig.ask(manager::AddServer{kAlice, config, "0102030405ff"});
    REQUIRE(added);
    rig.wants(added->server, PowerStatus::On);
    rig.pass(0s);
    REQUIRE(rig.sender.sent.size() == 1);
    auto const& target = rig.sender.sent[0].target;
    CHECK(target.broadcast_address == wol::Ipv4Address{192, 0, 2, 255});
    CHECK(target.ports == std::vector<std::uint16_t>{7, 9});
    CHECK(target.interface == "eth1");
    CHECK(target.secure_on == wol::SecureOn{std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 255}});

    manager::UpdateServer shorter;
    shorter.actor = kAlice;
    shorter.server = added->server;
    shorter.edit = [](core::ServerConfig&) {};
    shorter.secure_on = "c0000201";
    REQUIRE(rig.ask(shorter));
    rig.pass(1100ms);
    CHECK(
        rig.sender.sent[1].target.secure_on ==
        wol::SecureOn{std::array<std::uint8_t, 4>{192, 0, 2, 1}}
    );
    shorter.secure_on = "";
    REQUIRE(rig.ask(shorter));
    rig.pass(2100ms);
    CHECK_FALSE(rig.sender.sent[2].target.secure_on);
    CHECK(rig.sender.sent[2].target.ports == std::vector<std::uint16_t>{7, 9});
}

TEST_CASE("wake: a start sends the packet that was not sent yet, at once (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.wants(id, PowerStatus::On);
    REQUIRE(rig.sender.sent.empty()); // killed between the answer and the effect
    rig.restart(3s);
    auto const started = now(rig);
    rig.pass(0s);
    CHECK(rig.packets(started) == Times{0});
    rig.pass(1100ms);
    CHECK(rig.sender.sent.size() == 2);
}

TEST_CASE("wake: a start wakes many one after the other (1.6)") {
    Rig rig;
    all_at_once(rig, {rig.add("a", {mac(1)}), rig.add("b", {mac(2)}), rig.add("c", {mac(3)})});
    rig.restart();
    auto const started = now(rig);
    rig.pass(500ms);
    auto const times = rig.packets(started);
    REQUIRE(times.size() == 3);
    CHECK(times[0] == 0);
    CHECK(times[1] >= 200);
    CHECK(times[2] >= 400);
}

TEST_CASE("wake: a restart in the middle of many wakes goes on with those left (1.6)") {
    Rig rig;
    std::vector<core::ServerId> servers;
    for (std::uint8_t i = 1; i <= 6; ++i) {
        servers.push_back(rig.add("n" + std::to_string(i), {mac(i)}));
        rig.wants(servers.back(), PowerStatus::On);
    }
    rig.pass(450ms); // turns at 0, 200 and 400 ms
    REQUIRE(rig.sender.sent.size() == 3);
    rig.restart(50ms);
    auto const started = rig.clock.now().mono;
    rig.pass(450ms);
    auto const times = rig.packets(started);
    REQUIRE(times.size() == 6);
    CHECK(times[3] >= 0);
    CHECK(times[4] >= times[3] + 200);
    CHECK(times[5] >= times[4] + 200);
    for (auto const id : servers)
        CHECK(rig.server(id).wakes.rounds == 1);
}

TEST_CASE("wake: a packet never sent goes out at a start even after the standby time (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.wants(id, PowerStatus::On);
    rig.restart(1h);
    rig.pass(10s);
    CHECK(rig.actual(id) == "StartupDelayed");
    CHECK(rig.sender.sent.size() == 1);
}

TEST_CASE("wake: a start goes on with the pauses of a server that is Starting (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.wants(id, PowerStatus::On);
    auto const asked = now(rig);
    rig.pass(3500ms); // at 0, 1 and 3 s; the next is due at 7 s
    REQUIRE(rig.sender.sent.size() == 3);
    rig.restart(1s);
    rig.pass(2400ms);
    CHECK(rig.sender.sent.size() == 3);
    rig.pass(200ms);
    CHECK(rig.sender.sent.size() == 4);
    CHECK(rig.packets(asked).back() >= 7000);
    // Due meanwhile: at once.
    rig.restart(20s);
    rig.pass(0s);
    CHECK(rig.sender.sent.size() == 5);
}

TEST_CASE("wake: a start wakes nobody who was told by packet and is delayed, ON or OFF (1.6)") {
    Rig rig;
    rig.wants(rig.add("delayed", {mac(1)}), PowerStatus::On);
    rig.pass(301s);
    rig.running("on", 2);
    rig.gone_off("off", 3);
    auto const before = rig.sender.sent.size();
    rig.restart();
    rig.pass(10s);
    CHECK(rig.sender.sent.size() == before);
}

TEST_CASE("wake: a clock that went back delays a packet by no more than its pause (1.5, 1.6)") {
    Rig rig;
    rig.wants(rig.add("n", {mac(1)}), PowerStatus::On);
    rig.pass(1500ms);
    REQUIRE(rig.sender.sent.size() == 2);
    rig.kill();
    rig.clock.step_wall(-24h);
    REQUIRE(rig.start());
    rig.pass(2100ms);
    CHECK(rig.sender.sent.size() == 3);
}
