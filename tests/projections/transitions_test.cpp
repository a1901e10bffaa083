#include "core/evolve.hpp"
#include "projections/decisions.hpp"
#include "projections/transitions.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using core::ActualStatus;
using core::HeartbeatStatus;
using core::PowerStatus;
using projections::Transition;

namespace {

/// Folds a stored history as a reader of the log does: event by event, into decisions.
std::vector<Transition> transitions_of(std::vector<core::Event> const& events) {
    std::vector<Transition> transitions;
    core::Fleet fleet;
    projections::TransitionFolder folder;
    projections::DecisionReader reader([&](std::span<core::Event const> decision) {
        for (auto const& event : decision)
            core::evolve(fleet, event);
        if (auto transition = folder.apply_decision(decision, fleet))
            transitions.push_back(std::move(*transition));
    });
    for (auto const& event : events)
        reader.add(event);
    reader.flush();
    return transitions;
}

core::Event event_of(std::uint64_t sequence, std::uint64_t decision) {
    core::Event event;
    event.sequence = {sequence};
    event.decision = {decision};
    event.payload = core::ManagerStopped{};
    return event;
}

} // namespace

TEST_CASE("decisions: events are grouped by decision, the last by flush") {
    std::vector<std::vector<std::uint64_t>> decisions;
    projections::DecisionReader reader([&](std::span<core::Event const> decision) {
        decisions.emplace_back();
        for (auto const& event : decision)
            decisions.back().push_back(event.sequence.value);
    });
    reader.flush();
    CHECK(decisions.empty());
    reader.add(event_of(1, 1));
    CHECK(decisions.empty());
    reader.add(event_of(2, 2));
    reader.add(event_of(3, 2));
    reader.add(event_of(4, 4));
    reader.flush();
    reader.flush();
    CHECK(decisions == std::vector<std::vector<std::uint64_t>>{{1}, {2, 3}, {4}});
}

TEST_CASE("transitions: a life of a server, one for each change of status, with who and why") {
    World world;
    world.add(kNode1, "node1");                // 1
    world.ask(kNode1, PowerStatus::On);        // 2
    world.report(kNode1, HeartbeatStatus::On); // 3
    world.report(kNode1, HeartbeatStatus::On); // 4
    world.elapse(kNode1);                      // 5
    world.now = at("10:00:00");
    world.ask(kNode1, PowerStatus::Off);             // 6
    world.report(kNode1, HeartbeatStatus::Stopping); // 7
    world.lose(kNode1);                              // 8

    struct Row {
        std::uint64_t decision;
        std::optional<ActualStatus> from;
        ActualStatus to;
        std::string rule;
        core::Actor actor;
        std::string_view type;
    };
    std::vector<Row> const expected{
        {1, std::nullopt, ActualStatus::Unknown, "OFF/None/None", kAlice, "ServerAdded"},
        {2, ActualStatus::Unknown, ActualStatus::Starting, "S", kAlice, "PowerRequested"},
        {3, ActualStatus::Starting, ActualStatus::On, "ON/None/ON", kAgent, "HeartbeatReceived"},
        {6, ActualStatus::On, ActualStatus::BeforeStopping, "OFF/ON/ON", kAlice, "PowerRequested"},
        {7,
         ActualStatus::BeforeStopping,
         ActualStatus::Stopping,
         "OFF/ON/Stopping",
         kAgent,
         "HeartbeatReceived"},
        {8,
         ActualStatus::Stopping,
         ActualStatus::Off,
         "OFF/Stopping/None",
         kTimer,
         "HeartbeatLost"},
    };
    auto const transitions = transitions_of(world.events);
    REQUIRE(transitions.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        auto const& transition = transitions[i];
        auto const& row = expected[i];
        CAPTURE(row.decision);
        CHECK(transition.decision.value == row.decision);
        CHECK(transition.server == kNode1);
        CHECK(transition.from == row.from);
        CHECK(transition.to == row.to);
        CHECK(transition.reason.rule == row.rule);
        CHECK(transition.actor == row.actor);
        REQUIRE(transition.causes.size() == 1);
        CHECK(transition.causes[0].type == row.type);
    }
    CHECK(transitions[2].at == at("09:00:00"));
    CHECK(transitions[3].at == at("10:00:00"));
}

TEST_CASE("transitions: an adoption is one step, and names both of its events (1.4)") {
    World world;
    world.add(kNode1, "node1");                   // 1
    world.report(kNode1, HeartbeatStatus::On, 1); // 2, 3: adopted
    world.report(kNode1, HeartbeatStatus::On, 1); // 4: ON
    world.ask(kNode1, PowerStatus::Off);          // 5: BeforeStopping
    world.report(kNode1, HeartbeatStatus::On, 2); // 6, 7: adopted
    auto const transitions = transitions_of(world.events);
    REQUIRE(transitions.size() == 5);
    CHECK(transitions[4].decision.value == 6);
    CHECK(transitions[4].from == ActualStatus::BeforeStopping);
    CHECK(transitions[4].to == ActualStatus::ManuallyOn);
    CHECK(
        transitions[4].causes ==
        std::vector<projections::TransitionCause>{{{6}, "HeartbeatReceived"}, {{7}, "PowerAdopted"}}
    );
}

TEST_CASE("transitions: a removed server ends, and is new when its id comes again") {
    World world;
    world.add(kNode1, "node1");
    world.decide(kNode1, core::ServerRemoved{}, kAlice);
    world.add(kNode1, "node1");
    auto const transitions = transitions_of(world.events);
    REQUIRE(transitions.size() == 2);
    CHECK(transitions[1].decision.value == 3);
    CHECK(transitions[1].from == std::nullopt);
}

TEST_CASE("transitions: events about people and the process make none") {
    World world;
    world.decide({}, core::SetupDone{"alice"}, kAlice);
    world.decide({}, core::ManagerStarted{"1.0"});
    CHECK(transitions_of(world.events).empty());
}
