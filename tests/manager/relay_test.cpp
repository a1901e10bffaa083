// Relays: servers that are ON send the packet for one on their segment (status model 1.6, agent
// "Relay").
#include "manager/relays.hpp"
#include "manager/wake_commands.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::PowerStatus;

namespace {

manager::ManifestOutcome
reports(Rig& rig, core::ServerId id, std::string address, std::vector<std::string> woke = {}) {
    auto said = report(core::HeartbeatStatus::On);
    said.address = std::move(address);
    said.woke = std::move(woke);
    return rig.says(id, said);
}

/// A server that was up at this address and is OFF; relays are made after it.
core::ServerId asleep(Rig& rig, std::string name, std::uint8_t number, std::string address) {
    auto const id = rig.enrolled(std::move(name), number);
    reports(rig, id, address);
    reports(rig, id, address);
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    rig.pass(301s);
    REQUIRE(rig.actual(id) == "OFF");
    return id;
}

/// A server that is ON at this address, and stays so for hours.
core::ServerId up(Rig& rig, std::string name, std::uint8_t number, std::string address) {
    rig.set("heartbeat_interval_seconds", "3600");
    auto const id = rig.enrolled(std::move(name), number);
    reports(rig, id, address);
    reports(rig, id, std::move(address));
    REQUIRE(rig.actual(id) == "ON");
    return id;
}

std::vector<manager::WakeAsk> told(Rig& rig, core::ServerId relay, std::string address) {
    return reports(rig, relay, std::move(address)).wake;
}

manager::WakeServer once_more(core::ServerId server) {
    return {kAlice, server};
}

core::WakeSent sent_by(core::Event const& event) {
    return std::get<core::WakeSent>(event.payload);
}

/// Who sent, or was to send, the packets of the log: server names; "" is the manager.
std::vector<std::string> senders(Rig const& rig) {
    std::vector<std::string> names;
    for (auto const& event : rig.all("WakeSent")) {
        auto const wake = sent_by(event);
        auto const name = wake.relay ? rig.server(wake.relay).config.name : std::string{};
        names.push_back(wake.ok ? name : name + " not");
    }
    return names;
}

} // namespace

TEST_CASE("relay: a segment is the network of the broadcast address, else a /24 (agent, Relay)") {
    struct Row {
        char const* broadcast;
        char const* address;
        std::uint32_t first;
        std::uint32_t last;
    };
    auto const segment = [](char const* broadcast, char const* address) {
        core::Server server;
        server.config.wake.broadcast_address = broadcast;
        server.agent.address = address;
        return manager::segment_of(server);
    };
    for (auto const& row : {
             Row{"", "10.1.2.77", 0x0A010200, 0x0A0102FF},
             Row{"255.255.255.255", "10.1.2.77", 0x0A010200, 0x0A0102FF},
             Row{"10.9.2.255", "10.1.2.77", 0x0A090200, 0x0A0902FF},
             Row{"192.0.2.7", "", 0xC0000200, 0xC0000207},
             Row{"172.16.255.255", "", 0xAC100000, 0xAC10FFFF},
             Row{"10.255.255.255", "", 0x0AFF0000, 0x0AFFFFFF}, // no more than a /16
             Row{"10.9.2.254", "10.1.2.77", 0x0A010200, 0x0A0102FF},
         }) {
        CAPTURE(row.broadcast);
        auto const found = segment(row.broadcast, row.address);
        REQUIRE(found);
        CHECK(found->first == row.first);
        CHECK(found->last == row.last);
    }
    CHECK_FALSE(segment("", ""));
    CHECK_FALSE(segment("", "127.0.0.1"));
    CHECK_FALSE(segment("", "2001:db8::1"));
}

TEST_CASE("relay: the manager's own packets come first, then a server on the segment (1.6)") {
    Rig rig;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    auto const request = rig.wants(sleeper, PowerStatus::On);
    rig.pass(2s); // two rounds
    CHECK(told(rig, relay, "10.0.1.5").empty());
    CHECK(rig.heard().wake_asks().empty());
    rig.pass(1500ms); // the third
    auto const answer = reports(rig, relay, "10.0.1.5");
    REQUIRE(answer.wake.size() == 1);
    auto const& ask = answer.wake[0];
    CHECK(ask.mac == mac(1));
    CHECK(ask.sleeper == sleeper);
    CHECK(answer.version == "ON.3600." + ask.id);

    // Told again until it is reported, and recorded once.
    CHECK(told(rig, relay, "10.0.1.5") == answer.wake);
    auto const after = reports(rig, relay, "10.0.1.5", {ask.id});
    CHECK(after.wake.empty());
    CHECK(after.version == "ON.3600");
    reports(rig, relay, "10.0.1.5", {ask.id, "wake_unknown"});
    CHECK(senders(rig) == Names{"", "", "", "relay"});
    auto const event = rig.last("WakeSent");
    CHECK(event.server == sleeper);
    CHECK(event.cause == request);
    CHECK(event.actor.kind == core::ActorKind::Agent);
    auto const wake = sent_by(event);
    CHECK(wake.request == request);
    CHECK(wake.mac == mac(1));
    CHECK(wake.way == "relay");
    CHECK(wake.relay == relay);
    CHECK(rig.server(sleeper).wakes.rounds == 3);
    CHECK(rig.replayed() == rig.heard().fleet());
}

TEST_CASE("relay: it is asked at once where the manager has no interface (agent, Relay)") {
    Rig rig;
    rig.sender.foreign = 1;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const named = asleep(rig, "named", 3, "10.0.1.10");
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    auto const asked = told(rig, relay, "10.0.1.5");
    CHECK(asked.size() == 1);
    CHECK(rig.sender.sent.size() == 1); // its own packet goes out, too

    // Unless an interface is named for that server.
    manager::UpdateServer edit;
    edit.actor = kAlice;
    edit.server = named;
    edit.edit = [](core::ServerConfig& config) { config.wake.interface = "eth1"; };
    REQUIRE(rig.ask(edit));
    rig.wants(named, PowerStatus::On);
    rig.pass(400ms);
    CHECK(rig.sender.sent.size() == 2);
    CHECK(told(rig, relay, "10.0.1.5") == asked);
}

TEST_CASE("relay: one that never joined is on the segment of its broadcast address (HTTP 3.2)") {
    Rig rig;
    rig.sender.foreign = 1;
    core::ServerConfig config;
    config.name = "sleeper";
    config.mac_addresses = {mac(1), mac(2)};
    config.wake.broadcast_address = "10.0.1.255";
    auto const sleeper = rig.add(config);
    auto const relay = up(rig, "relay", 3, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    auto const asked = told(rig, relay, "10.0.1.5");
    REQUIRE(asked.size() == 2); // one a MAC
    CHECK(asked[0].mac == mac(1));
    CHECK(asked[1].mac == mac(2));
    CHECK(asked[0].id != asked[1].id);
}

TEST_CASE("relay: the next one is asked when one's packet did not help, round and round (1.6)") {
    Rig rig;
    rig.sender.foreign = 1;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const a = up(rig, "a", 2, "10.0.1.5");
    auto const b = up(rig, "b", 3, "10.0.1.200");
    auto const c = up(rig, "c", 4, "10.0.1.30");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    reports(rig, a, "10.0.1.5", {told(rig, a, "10.0.1.5").at(0).id});
    rig.pass(1100ms);
    CHECK(told(rig, a, "10.0.1.5").empty());
    auto const asked = told(rig, c, "10.0.1.30"); // an old agent: it never says a word of it
    CHECK(asked.size() == 1);
    rig.pass(2100ms);
    CHECK(told(rig, c, "10.0.1.30") == asked); // it has some seconds
    rig.pass(4100ms);
    CHECK(told(rig, c, "10.0.1.30").empty());
    reports(rig, b, "10.0.1.200", {told(rig, b, "10.0.1.200").at(0).id});
    rig.pass(8100ms);
    CHECK(told(rig, a, "10.0.1.5").size() == 1);
    CHECK(senders(rig) == Names{"", "a", "", "", "c not", "", "b", ""});
    auto const silent = sent_by(rig.all("WakeSent").at(4));
    CHECK(silent.detail == "the agent of c did not say that it sent it");
    CHECK(silent.way == "relay");
    CHECK(rig.server(sleeper).wakes.rounds == 5);
}

TEST_CASE("relay: after a restart the packets and the turns go on (1.6)") {
    Rig rig;
    rig.sender.foreign = 1;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const a = up(rig, "a", 2, "10.0.1.5");
    auto const b = up(rig, "b", 3, "10.0.1.6");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    auto const first = told(rig, a, "10.0.1.5").at(0).id;
    reports(rig, a, "10.0.1.5", {first});
    rig.restart();
    rig.pass(100ms); // the second round, due meanwhile
    CHECK(told(rig, a, "10.0.1.5").empty());
    REQUIRE(told(rig, b, "10.0.1.6").size() == 1);
    // What was asked before a restart and not reported is not asked any more, and asked anew.
    rig.restart(1500ms);
    CHECK(told(rig, b, "10.0.1.6").empty());
    rig.pass(1s);
    CHECK(told(rig, b, "10.0.1.6").size() == 1);
}

TEST_CASE("relay: only a sound server that is ON and on that segment is asked (agent, Relay)") {
    Rig rig;
    rig.sender.foreign = 1;
    rig.set("release_standby_when_settled", "true");
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const silent = asleep(rig, "silent", 2, "10.0.1.10");
    auto const elsewhere = up(rig, "elsewhere", 3, "10.0.2.5");
    auto const proxied = up(rig, "proxied", 4, "127.0.0.1");
    auto const going = up(rig, "going", 5, "10.0.1.5");
    auto const leaving = up(rig, "leaving", 6, "10.0.1.6");
    auto const revoked = up(rig, "revoked", 7, "10.0.1.7");
    auto const cloned = up(rig, "cloned", 8, "10.0.1.8");
    rig.pass(300s);
    rig.wants(going, PowerStatus::Off);
    auto said = report(core::HeartbeatStatus::On);
    said.leaving = core::Leaving::Reboot;
    rig.says(leaving, said);
    REQUIRE(rig.ask(manager::RevokeAgent{kAlice, revoked}));
    rig.says_on(cloned, 2);
    rig.says_on(cloned, 1);
    rig.says_on(cloned, 1);
    REQUIRE(rig.server(cloned).state.set_aside);

    rig.wants(sleeper, PowerStatus::On);
    rig.pass(4s);
    for (auto const& name : senders(rig))
        CHECK(name.empty());
    for (auto const id : {elsewhere, going, cloned})
        CHECK(told(rig, id, rig.server(id).agent.address).empty());
    CHECK(told(rig, proxied, "127.0.0.1").empty());
    CHECK(rig.actual(silent) == "OFF");
    CHECK(rig.server(leaving).leaving == core::Leaving::Reboot);

    // One that moves to the segment is asked from then on, one that moves away is not.
    CHECK(told(rig, elsewhere, "10.0.1.77").empty());
    rig.pass(4s);
    CHECK(told(rig, elsewhere, "10.0.1.77").size() == 1);
    told(rig, elsewhere, "10.0.2.5");
    rig.pass(10s);
    CHECK(senders(rig).back().empty());
    rig.pass(60s);
    CHECK(told(rig, elsewhere, "10.0.2.5").empty());
}

TEST_CASE("relay: nobody is asked for a server that came up, was asked anew or is removed (1.6)") {
    for (int const end : {1, 2, 3, 4}) {
        CAPTURE(end);
        Rig rig;
        rig.sender.foreign = 1;
        rig.set("release_standby_when_settled", "true");
        auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
        auto const relay = up(rig, "relay", 2, "10.0.1.5");
        rig.wants(sleeper, PowerStatus::On);
        rig.pass(0s);
        auto const asked = told(rig, relay, "10.0.1.5");
        REQUIRE(asked.size() == 1);
        if (end == 1)
            rig.says_on(sleeper, 2);
        if (end == 2)
            REQUIRE(rig.ask(manager::RemoveServer{kAlice, sleeper, {}, true}));
        if (end == 3) {
            rig.pass(301s);
            rig.wants(sleeper, PowerStatus::Off);
        }
        if (end == 4)
            REQUIRE(rig.ask(manager::RemoveServer{kAlice, relay, {}, true}));
        if (end == 4)
            continue; // and nothing is left of it
        CHECK(rig.heard().wake_asks().size() == 1);
        CHECK(told(rig, relay, "10.0.1.5").empty());
        // One that has sent it already says so all the same, unless others were asked since.
        auto const before = rig.all("WakeSent").size();
        CHECK(reports(rig, relay, "10.0.1.5", {asked[0].id}).wake.empty());
        CHECK(rig.all("WakeSent").size() == before + (end == 1 ? 1 : 0));
    }
}

TEST_CASE("relay: one that came up by itself leaves no relay blamed (1.6)") {
    Rig rig;
    rig.sender.foreign = 1;
    rig.set("release_standby_when_settled", "true");
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    REQUIRE(told(rig, relay, "10.0.1.5").size() == 1);
    rig.says_on(sleeper, 2);
    rig.pass(3h + 1s); // both fall silent
    up(rig, "other", 3, "10.0.1.6");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    CHECK(senders(rig) == Names{"", ""});
}

TEST_CASE("relay: what nobody took within a minute is not handed out any more") {
    Rig rig;
    rig.sender.foreign = 1;
    rig.set("standby_time_seconds", "600");
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    rig.pass(300s);
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(256s); // the last round was at 255 s
    CHECK(told(rig, relay, "10.0.1.5").size() == 1);
    rig.pass(61s);
    CHECK(told(rig, relay, "10.0.1.5").empty());
}

TEST_CASE("relay: so many wakes are handed out at once, the others when these are reported") {
    Rig rig;
    rig.sender.foreign = 1;
    rig.set("wake_stagger_ms", "0");
    std::vector<core::ServerId> sleepers;
    auto const relay = up(rig, "relay", 1, "10.0.1.5");
    for (std::uint8_t i = 0; i < 20; ++i) {
        core::ServerConfig config;
        config.name = "n" + std::to_string(i);
        config.mac_addresses = {mac(std::uint8_t(10 + i))};
        config.wake.broadcast_address = "10.0.1.255";
        sleepers.push_back(rig.add(config));
        rig.wants(sleepers.back(), PowerStatus::On);
        rig.pass(0s);
    }
    auto const first = reports(rig, relay, "10.0.1.5");
    REQUIRE(first.wake.size() == 16);
    std::vector<std::string> ids;
    for (auto const& ask : first.wake)
        ids.push_back(ask.id);
    auto const second = reports(rig, relay, "10.0.1.5", ids);
    CHECK(second.wake.size() == 4);
    CHECK(second.version != first.version);
    CHECK(second.version == "ON.3600." + second.wake.back().id);
}

TEST_CASE("relay: an agent that is told OFF is asked for nothing (HTTP 3.3)") {
    Rig rig;
    rig.sender.foreign = 1;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    rig.wants(relay, PowerStatus::Off);
    auto const answer = reports(rig, relay, "10.0.1.5");
    CHECK(answer.manifest.power_status == PowerStatus::Off);
    CHECK(answer.wake.empty());
    CHECK(answer.version.find("wake") == std::string::npos);
}

TEST_CASE("relay: one more packet for a delayed server goes by it, too (1.6)") {
    Rig rig;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    auto const outcome = rig.ask(once_more(sleeper));
    REQUIRE(outcome);
    CHECK(outcome->relay == "relay");
    CHECK(told(rig, relay, "10.0.1.5").size() == 1);
    // One that is up needs nobody's help.
    auto const sent = rig.ask(once_more(relay));
    REQUIRE(sent);
    CHECK(sent->relay.empty());
}

TEST_CASE("relay: what it was asked for it may report however often it reported before (HTTP 3.3)"
) {
    Rig rig;
    rig.reports_ahead = 50;
    rig.restart();
    rig.sender.foreign = 1;
    auto const sleeper = asleep(rig, "sleeper", 1, "10.0.1.9");
    auto const relay = up(rig, "relay", 2, "10.0.1.5");
    rig.wants(sleeper, PowerStatus::On);
    rig.pass(0s);
    auto const asked = told(rig, relay, "10.0.1.5");
    REQUIRE(asked.size() == 1);
    manager::ReceiveHeartbeat said{relay, report(core::HeartbeatStatus::On)};
    while (rig.ask(said))
        REQUIRE(rig.all("HeartbeatReceived").size() < 1000);
    said.report.woke = {"wake_unknown"};
    CHECK_FALSE(rig.ask(said));
    said.report.woke = {asked[0].id};
    CHECK(rig.ask(said));
    CHECK(sent_by(rig.last("WakeSent")).relay == relay);
    CHECK_FALSE(rig.ask(said)); // it has been reported
}
