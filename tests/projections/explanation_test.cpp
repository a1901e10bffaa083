#include "core/evolve.hpp"
#include "core/status_table.hpp"
#include "projections/explanation.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

std::string text_of(World const& world, core::ServerId server = kNode1) {
    return projections::explain(*world.fleet.find(server), world.fleet.settings).text;
}

std::string rule_of(World const& world, core::ServerId server = kNode1) {
    return projections::explain(*world.fleet.find(server), world.fleet.settings).rule;
}

bool says(std::string const& text, std::string_view words) {
    return text.find(words) != std::string::npos;
}

/// A server that reports ON of boot 1 and was asked for OFF by alice.
World told_off() {
    World world;
    world.add(kNode1, "node1");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.now = at("09:05:00");
    world.ask(kNode1, PowerStatus::Off);
    return world;
}

} // namespace

TEST_CASE("explain: every row and every rule has a text, open and elapsed (1.3)") {
    std::set<std::string_view> rules;
    for (auto power : {PowerStatus::On, PowerStatus::Off})
        for (auto previous :
             {HeartbeatStatus::None, HeartbeatStatus::On, HeartbeatStatus::Stopping})
            for (auto current :
                 {HeartbeatStatus::None, HeartbeatStatus::On, HeartbeatStatus::Stopping})
                for (int request = 0; request < 3; ++request)
                    for (int bits = 0; bits < 8; ++bits) {
                        core::Server server;
                        auto& state = server.state;
                        state.power = power;
                        state.previous = previous;
                        state.current = current;
                        state.last_heartbeat = {7};
                        server.last_heartbeat_at = at("08:00:00");
                        if (request != 0)
                            state.request = core::Request{
                                .sequence = {8},
                                .target = power,
                                .standby =
                                    request == 1 ? core::Standby::Open : core::Standby::Elapsed,
                                .confirmed = (bits & 1) != 0,
                            };
                        state.blocked_by = (bits & 2) != 0 ? "a backup" : "";
                        state.adopted = (bits & 4) != 0;
                        auto const verdict = core::classify(state);
                        state.actual = verdict.actual;

                        auto const reason = projections::explain(server, {});
                        CHECK(reason.rule == verdict.rule);
                        CHECK(reason.text.size() > 30);
                        CHECK(reason.text.ends_with('.'));
                        CHECK_FALSE(says(reason.text, "{"));
                        rules.insert(verdict.rule);
                    }
    CHECK(rules.size() == 22); // 18 rows, S, A, B, adopted
}

TEST_CASE("explain: a server that never reported asks for its join line (1.2)") {
    World world;
    world.add(kNode1, "node1");
    CHECK(rule_of(world) == "OFF/None/None");
    CHECK(
        text_of(world) == "It has never reported: paste the join line of its agent on the machine."
    );
}

TEST_CASE("explain: one that joined and never reported says how often it should (1.2)") {
    World world;
    world.add(kNode1, "node1");
    world.decide(kNode1, core::AgentJoined{}, kAgent);
    CHECK(
        text_of(world) == "It has never reported although its agent has joined, and is expected to "
                          "every 10 s: see that the agent runs."
    );
}

TEST_CASE("explain: BeforeStopping names who asked, when, and what is expected") {
    auto const world = told_off();
    CHECK(rule_of(world) == "OFF/ON/ON");
    CHECK(
        text_of(world) ==
        "It is to go OFF (alice asked for OFF at 2026-11-21 09:05:00 UTC) and still reports ON: "
        "its last heartbeat at 2026-11-21 09:00:00 UTC said ON. It is expected to report that it "
        "is going down before its standby time has passed."
    );
}

TEST_CASE("explain: an OFF that was not carried out in time says so, and names a veto (1.4)") {
    auto world = told_off();
    world.report(kNode1, HeartbeatStatus::On, 1, "a backup");
    world.elapse(kNode1);
    CHECK(says(text_of(world), "its standby time has passed"));
    CHECK(says(text_of(world), "That OFF is no longer told to its agent."));
    CHECK(says(text_of(world), "It cannot go down: held by a backup."));
}

TEST_CASE("explain: a machine that refused to go down and fell silent names what held it (B)") {
    auto world = told_off();
    world.report(kNode1, HeartbeatStatus::Stopping, 1, "a backup");
    world.lose(kNode1);
    CHECK(rule_of(world) == "B");
    CHECK(says(text_of(world), "held by a backup"));
}

TEST_CASE("explain: an agent that was revoked while it went down is not known to be off (1.0)") {
    auto world = told_off();
    world.report(kNode1, HeartbeatStatus::Stopping, 1);
    world.decide(kNode1, core::AgentRevoked{}, kAlice);
    world.lose(kNode1);
    CHECK(rule_of(world) == "B");
    CHECK(says(text_of(world), "held by the end of its agent's credential"));
}

TEST_CASE("explain: an agent that cannot check signatures is told ON, and the text says why") {
    World world;
    world.add(kNode1, "node1");
    core::Report shell; // neither identity nor nonce
    shell.status = HeartbeatStatus::On;
    world.report(kNode1, shell);
    world.report(kNode1, shell);
    world.ask(kNode1, PowerStatus::Off);
    CHECK(says(text_of(world), "it cannot check the signature of an order"));

    core::ServerConfig config = world.fleet.servers.at(kNode1).config;
    config.allow_unsigned = true;
    world.decide(kNode1, core::ServerUpdated{config}, kAlice);
    CHECK_FALSE(says(text_of(world), "signature"));
    CHECK_FALSE(says(text_of(world), "is told ON"));

    core::AgentJoined joined;
    joined.mac_addresses = config.mac_addresses;
    world.decide(kNode1, joined, kAlice);
    world.report(kNode1, shell);
    CHECK(says(text_of(world), "is told ON, because it joined after OFF was asked for"));
}

TEST_CASE("explain: a server whose agent was set aside says so (1.4)") {
    World world;
    world.add(kNode1, "node1");
    world.report(kNode1, HeartbeatStatus::On, 1);
    world.report(kNode1, HeartbeatStatus::On, 2);
    world.report(kNode1, HeartbeatStatus::On, 1);
    CHECK_FALSE(says(text_of(world), "set aside"));
    world.report(kNode1, HeartbeatStatus::On, 1);
    CHECK(says(text_of(world), "Its agent was set aside"));
}

TEST_CASE("explain: of a machine that fell silent its own word is told: it was restarting (1.6)") {
    World world;
    world.add(kNode1, "node1");
    world.report(kNode1, HeartbeatStatus::On);
    world.ask(kNode1, PowerStatus::On);
    core::Report leaving;
    leaving.status = HeartbeatStatus::On;
    leaving.identity = boot(1);
    leaving.leaving = core::Leaving::Reboot;
    world.report(kNode1, leaving);
    world.lose(kNode1);
    CHECK(world.state(kNode1).actual == core::ActualStatus::Crashed);
    CHECK(says(text_of(world), "and none followed within 30 s"));
    CHECK(says(text_of(world), "that it is restarting"));
}

TEST_CASE("explain: Starting counts the wakes, and StartupDelayed without a MAC says so (S)") {
    World world;
    world.add(kNode1, "node1");
    world.ask(kNode1, PowerStatus::On);
    CHECK(says(text_of(world), "no magic packet has been sent yet"));
    world.now = at("09:01:00");
    world.wake(kNode1);
    CHECK(says(text_of(world), "it was woken once, last at 2026-11-21 09:01:00 UTC"));
    world.wake(kNode1);
    CHECK(says(text_of(world), "it was woken 2 times"));

    auto config = world.fleet.servers.at(kNode1).config;
    config.mac_addresses.clear();
    world.decide(kNode1, core::ServerUpdated{config}, kAlice);
    world.elapse(kNode1);
    CHECK(rule_of(world) == "S");
    CHECK(says(
        text_of(world), "it has no MAC address, so it cannot be woken: join its agent or add one"
    ));
}

TEST_CASE("explain: OFF that a person set on a silent server names that person (A)") {
    World world;
    world.add(kNode1, "node1");
    world.ask(kNode1, PowerStatus::Off);
    CHECK(
        text_of(world) == "It is off as people say (alice asked for OFF at 2026-11-21 09:00:00 "
                          "UTC); no report speaks for or against it: it has never reported."
    );
}

TEST_CASE("explain: ON asked for while it goes down is woken as soon as it is silent (1.6)") {
    auto world = told_off();
    world.report(kNode1, HeartbeatStatus::Stopping);
    world.elapse(kNode1);
    world.ask(kNode1, PowerStatus::On);
    CHECK(rule_of(world) == "ON/Stopping/Stopping");
    CHECK(says(text_of(world), "It is woken as soon as it falls silent."));
    world.report(kNode1, HeartbeatStatus::On);
    CHECK(rule_of(world) == "ON/Stopping/ON");
    CHECK(says(text_of(world), "Its next heartbeat shows whether it stays up."));
}

TEST_CASE("explain: a server turned on by hand says so (1.4)") {
    auto world = told_off();
    world.report(kNode1, HeartbeatStatus::On, 2);
    CHECK(
        text_of(world) == "It was turned on by hand, so its power status became ON: its last "
                          "heartbeat at 2026-11-21 09:05:00 UTC said ON."
    );
    CHECK(rule_of(world) == "adopted");
}
