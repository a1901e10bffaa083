// Which heartbeats the log can do without (event log 2.3).
#include "manager/routine_runs.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using manager::RoutineRuns;

namespace {

/// "5-40" of each run, in order; `from`: the first event that it is shown.
std::string runs_of(std::vector<core::Event> const& events, std::uint64_t from = 1) {
    RoutineRuns runs;
    for (auto const& event : events)
        if (event.sequence.value >= from) {
            core::Hash hash{};
            hash[0] = std::uint8_t(event.sequence.value);
            runs.add(event, hash);
        }
    runs.end_run();
    std::string text;
    while (auto const run = runs.take()) {
        CHECK(run->count == run->last.value - run->first.value + 1);
        CHECK(run->prev_hash[0] == std::uint8_t(run->first.value - 1));
        CHECK(run->last_hash[0] == std::uint8_t(run->last.value));
        text += (text.empty() ? "" : " ") + std::to_string(run->first.value) + "-" +
                std::to_string(run->last.value);
    }
    return text;
}

/// A server that reports ON, as often as said.
void report(World& world, int times, core::ServerId server = kNode1) {
    for (int i = 0; i < times; ++i) {
        world.now += core::seconds(10);
        world.report(server, HeartbeatStatus::On);
    }
}

core::Report numbered(std::uint64_t number) {
    core::Report said;
    said.status = HeartbeatStatus::On;
    said.identity = boot(1);
    said.nonce = "nonce";
    said.report = number;
    return said;
}

} // namespace

TEST_CASE("routine: of an unbroken row the first two stay and the newest; the rest is a run (2.3)"
) {
    World world;
    world.add(kNode1, "web-1"); // 1
    report(world, 1);           // 2, and 3: adopted
    report(world, 17);          // 4 to 20
    CHECK(runs_of(world.events) == "6-19");
    CHECK(runs_of(world.events, 9) == "11-19"); // what came before is not known
}

TEST_CASE("routine: with one word of the server in between a row begins anew (2.3)") {
    World world;
    world.add(kNode1, "web-1");
    report(world, 18);
    world.decide(kNode1, core::AgentTokenRotated{}); // 21
    report(world, 9);                                // 22 to 30
    CHECK(runs_of(world.events) == "6-19 24-29");
}

TEST_CASE("routine: a heartbeat that a loss, a request or a removal follows stays (1.4)") {
    World world;
    world.add(kNode1, "web-1");
    report(world, 18);                         // to 20
    world.lose(kNode1);                        // 21
    report(world, 9);                          // 22 to 30
    world.ask(kNode1, core::PowerStatus::Off); // 31
    report(world, 9);                          // 32 to 40
    world.decide(kNode1, core::ServerRemoved{}, kAlice);
    CHECK(runs_of(world.events) == "6-19 24-29 34-39");
}

TEST_CASE("routine: what a heartbeat alone tells stays: an address, a version, a veto (2.1)") {
    World world;
    world.add(kNode1, "web-1");
    report(world, 18); // to 20
    auto said = numbered(1);
    said.report.reset();
    said.address = "10.0.0.7";
    world.report(kNode1, said); // 21: carries the address
    for (int i = 0; i < 8; ++i)
        world.report(kNode1, said); // 22 to 29
    said.blocked_by = "backup";
    for (int i = 0; i < 8; ++i)
        world.report(kNode1, said); // 30 to 37
    CHECK(runs_of(world.events) == "6-20 22-29 32-36");
}

TEST_CASE("routine: the number of a report stays known (1.4)") {
    World world;
    world.add(kNode1, "web-1");
    for (std::uint64_t i = 1; i <= 12; ++i)
        world.report(kNode1, numbered(i)); // 2 and 3, to 14
    auto said = numbered(0);
    said.report.reset();
    world.report(kNode1, said); // 15: without a number
    CHECK(runs_of(world.events) == "6-13");
}

TEST_CASE("routine: a run is of all servers, and ends where one event stays (2.3)") {
    World world;
    world.add(kNode1, "web-1"); // 1
    world.add(kNode2, "web-2"); // 2
    for (int i = 0; i < 12; ++i) {
        report(world, 1, kNode1);
        report(world, 1, kNode2);
    } // 3 and 4, 5 and 6; 7, 8 … 27, 28
    CHECK(runs_of(world.events) == "11-26");
    world.decide({}, core::SignedOut{}, kAlice); // 29
    report(world, 8, kNode1);                    // 30 to 37
    CHECK(runs_of(world.events) == "11-27");     // whether 28 is followed by another is not known
    world.lose(kNode2);                          // 38
    CHECK(runs_of(world.events) == "11-27 30-36");
}

TEST_CASE("routine: a run shorter than its event is worth stays (2.3)") {
    for (int times : {7, 8}) {
        World world;
        world.add(kNode1, "web-1");
        report(world, times);
        CHECK(runs_of(world.events) == (times == 7 ? "" : "6-9"));
    }
}

TEST_CASE("routine: no run is longer than what is deleted at once; the next follows it (2.3)") {
    World world;
    world.add(kNode1, "web-1");
    report(world, 1040);
    CHECK(runs_of(world.events) == "6-1029 1030-1041");
}

TEST_CASE("routine: a start ends an answer, so the next Stopping may be another (1.4)") {
    World world;
    world.add(kNode1, "web-1");
    report(world, 9);                          // to 11
    world.ask(kNode1, core::PowerStatus::Off); // 12
    for (int i = 0; i < 9; ++i)
        world.report(kNode1, HeartbeatStatus::Stopping);                        // 13 to 21
    world.decide({}, core::ManagerStarted{"1"}, {core::ActorKind::Policy, ""}); // 22
    for (int i = 0; i < 9; ++i)
        world.report(kNode1, HeartbeatStatus::Stopping); // 23 to 31
    CHECK(runs_of(world.events) == "6-10 15-21 25-30");
}
