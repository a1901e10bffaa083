// One server's transitions from its own events and those that concern all, and what is pending.
#include "core/evolve.hpp"
#include "projections/decisions.hpp"
#include "projections/explanation_json.hpp"
#include "projections/server_history.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using core::PowerStatus;
using projections::ServerHistory;
using projections::Transition;

namespace {

/// Two servers live side by side; settings change and the manager starts again meanwhile.
World two_lives() {
    World world;
    world.add(kNode1, "node1");
    world.add(kNode2, "node2");
    for (auto const node : {kNode1, kNode2}) {
        world.ask(node, PowerStatus::On);
        world.wake(node);
    }
    world.report(kNode2, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.elapse(kNode1);
    world.decide({}, core::SettingsChanged{{{"heartbeat_interval_seconds", "7"}}}, kAlice);
    world.now = at("10:00:00");
    world.lose(kNode1);
    world.decide({}, core::ManagerStarted{"test"});
    world.ask(kNode1, PowerStatus::Off);
    world.elapse(kNode2);
    world.now = at("11:00:00");
    world.report(kNode1, HeartbeatStatus::On, 2);
    return world;
}

std::vector<Transition>
history_of(World const& world, core::ServerId server, std::size_t capacity = 100) {
    ServerHistory history(capacity);
    for (auto const& event : world.events)
        if (event.server == server || projections::concerns_all_servers(event))
            history.add(event);
    history.end();
    return {history.transitions().begin(), history.transitions().end()};
}

std::vector<Transition> all_transitions(World const& world) {
    std::vector<Transition> all;
    core::Fleet fleet;
    projections::TransitionFolder folder;
    projections::DecisionReader reader([&](std::span<core::Event const> decision) {
        for (auto const& event : decision)
            core::evolve(fleet, event);
        if (auto transition = folder.apply_decision(decision, fleet))
            all.push_back(std::move(*transition));
    });
    for (auto const& event : world.events)
        reader.add(event);
    reader.flush();
    return all;
}

} // namespace

TEST_CASE("history: a server's own events tell what the whole log tells of it (HTTP 3.2)") {
    auto const world = two_lives();
    for (auto const node : {kNode1, kNode2}) {
        auto expected = all_transitions(world);
        std::erase_if(expected, [&](Transition const& one) { return one.server != node; });
        CHECK(expected.size() >= 3);
        CHECK(history_of(world, node) == expected);
    }
}

TEST_CASE("history: only the last ones are kept, in order") {
    auto const world = two_lives();
    auto all = history_of(world, kNode1);
    REQUIRE(all.size() > 2);
    all.erase(all.begin(), all.end() - 2);
    CHECK(history_of(world, kNode1, 2) == all);
}

TEST_CASE("explanation: what is pending, from the log's own times (HTTP 3.2)") {
    World world;
    world.add(kNode1, "node1");
    auto const& server = world.fleet.servers.at(kNode1);
    CHECK(projections::pending_of(server).empty());
    world.ask(kNode1, PowerStatus::On);
    world.now = at("09:00:10");
    world.wake(kNode1);
    auto pending = projections::pending_of(server);
    REQUIRE(pending.size() == 2);
    CHECK(pending[0].kind == "standby");
    CHECK(pending[0].at == at("09:05:00"));
    CHECK(pending[0].about == core::Sequence{2});
    CHECK(pending[1].kind == "wake");
    CHECK(pending[1].at == at("09:00:11"));
    world.now = at("09:00:20");
    world.report(kNode1, HeartbeatStatus::On);
    pending = projections::pending_of(server);
    REQUIRE(pending.size() == 2);
    CHECK(pending[1].kind == "silence");
    CHECK(pending[1].at == at("09:00:50")); // 30 s
    CHECK(pending[1].about == core::Sequence{4});
}

TEST_CASE("explanation: what the table looked at, by the words of the status model (1.2)") {
    World world;
    world.add(kNode1, "node1");
    auto const& server = world.fleet.servers.at(kNode1);
    auto fresh = projections::inputs_json(server);
    CHECK(fresh.at("request").is_null());
    CHECK(fresh.at("boot").is_null());
    CHECK(fresh.at("power") == "OFF");
    CHECK(fresh.at("current") == "None");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.ask(kNode1, PowerStatus::Off);
    auto const asked = projections::inputs_json(server);
    CHECK(asked.at("manifest") == "OFF");
    CHECK(asked.at("previous") == "ON");
    auto const& request = asked.at("request").as_object();
    CHECK(request.at("target") == "OFF");
    CHECK(request.at("standby") == "open");
    CHECK(request.at("ordered") == true);
    CHECK(request.at("actor").at("name") == "alice");
    CHECK(asked.at("boot").at("resume_count") == 0);
}
