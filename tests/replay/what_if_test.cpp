// cpm-replay what-if (event log 2.4): the same requests and reports under other settings.
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

/// "web-1 09:00:30.000-09:00:35.000 ON/Crashed" of each row.
std::vector<std::string> rows_of(Run const& run) {
    CHECK(run.status == 0);
    std::vector<std::string> rows;
    auto const text = [](boost::json::value const& value) {
        return value.is_null() ? std::string("-") : std::string(value.as_string());
    };
    auto const clock = [&](boost::json::value const& value) {
        return value.is_null() ? std::string("end") : text(value).substr(11, 12);
    };
    for (auto const& row : run.ndjson())
        rows.push_back(
            text(row.at("server")) + " " + clock(row.at("from")) + "-" + clock(row.at("until")) +
            " " + text(row.at("was")) + "/" + text(row.at("would_be"))
        );
    return rows;
}

std::vector<std::string> what_if(World const& world, std::string const& settings) {
    Data const data(world.events);
    return rows_of(replay(data.with("what-if --output ndjson " + settings)));
}

using Rows = std::vector<std::string>;

} // namespace

TEST_CASE("what-if --missed 1: one gap of 15 s at an interval of 10 s is one more Crashed (2.4)") {
    World world;
    world.add(kNode1, "web-1");
    for (int i = 0; i < 12; ++i) {
        world.now += core::seconds(i == 6 ? 15 : 10);
        world.report(kNode1, HeartbeatStatus::On);
    }
    Data const data(world.events);
    CHECK(
        rows_of(replay(data.with("what-if --missed 1 --output ndjson"))) ==
        Rows{"web-1 09:01:10.000-09:01:15.000 ON/Crashed"}
    );
    auto const table = replay(data.with("what-if --missed 1")).lines();
    REQUIRE(table.size() == 3);
    CHECK(table[0].starts_with("FROM "));
    CHECK(table[1].find("ON/ON/None") != std::string::npos);
    CHECK(table[2] == "1 status would differ");
    CHECK(rows_of(replay(data.with("what-if --missed 2 --output ndjson"))).empty());
    CHECK(replay(data.with("what-if --missed 3")).out == "nothing would differ\n");
}

TEST_CASE("what-if --missed: a report that is a little late is in time (1.5)") {
    World world;
    world.add(kNode1, "web-1");
    for (int i = 0; i < 12; ++i) {
        world.now += core::milliseconds(i % 2 == 0 ? 10'100 : 9'950);
        world.report(kNode1, HeartbeatStatus::On);
    }
    CHECK(what_if(world, "--missed 1").empty());
}

TEST_CASE("what-if --missed 5: a loss that would not have been (2.4)") {
    World world;
    world.add(kNode1, "web-1");
    world.now = at("09:00:10");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.now = at("09:00:40");
    world.lose(kNode1);
    world.now = at("09:00:55");
    world.report(kNode1, HeartbeatStatus::On);
    world.now = at("09:01:25");
    world.lose(kNode1);
    world.now = at("09:02:30");
    world.ask(kNode1, PowerStatus::Off);
    CHECK(
        what_if(world, "--missed 5") ==
        Rows{
            "web-1 09:00:40.000-09:00:55.000 Crashed/ON",
            "web-1 09:01:25.000-09:01:45.000 Crashed/ON"}
    );
}

TEST_CASE("what-if --standby 2m: a delay is told earlier (2.4)") {
    Data const data(small_history());
    CHECK(
        rows_of(replay(data.with("what-if --standby 2m --output ndjson"))) ==
        Rows{"東京サーバー 09:04:00.000-09:07:00.000 Starting/StartupDelayed"}
    );
    CHECK(replay(data.with("what-if --standby 5m")).out == "nothing would differ\n");
    CHECK(replay(data.with("what-if --standby 300")).out == "nothing would differ\n");
}

TEST_CASE("what-if --standby 2m: a request that was refused would have been accepted (1.4)") {
    World world;
    world.add(kNode1, "web-1");
    world.now = at("09:00:10");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.ask(kNode1, PowerStatus::Off);
    world.now = at("09:03:10");
    world.decide(kNode1, core::PowerRefused{PowerStatus::On, core::ErrorCode::StandbyOpen}, kAlice);
    CHECK(
        what_if(world, "--standby 2m") ==
        Rows{
            "web-1 09:02:10.000-09:03:10.000 BeforeStopping/Unknown",
            "web-1 09:03:10.000-end BeforeStopping/ON"}
    );
}

TEST_CASE("what-if: a guard that refused refuses again (HTTP 3.2)") {
    World world;
    world.add(kNode1, "web-1");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    core::ServerUpdated edit{world.fleet.find(kNode1)->config};
    edit.config.is_protected = true;
    world.decide(kNode1, edit, kAlice);
    world.decide(kNode1, core::PowerRefused{PowerStatus::Off, core::ErrorCode::Protected}, kAlice);
    CHECK(what_if(world, "--standby 2m").empty());
}

TEST_CASE("what-if --missed: silence counts anew from a start of the manager (1.5)") {
    World world;
    world.add(kNode1, "web-1");
    world.now = at("09:00:10");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.now = at("09:10:00");
    world.decide({}, core::ManagerStarted{"1"}, {core::ActorKind::Policy, ""});
    world.now = at("09:10:08");
    world.report(kNode1, HeartbeatStatus::On);
    CHECK(what_if(world, "--missed 1").empty());
}

TEST_CASE("what-if --release-standby true: the standby time ends when the server has settled (1.4)"
) {
    World world;
    world.add(kNode1, "web-1");
    world.now = at("09:00:10");
    world.report(kNode1, HeartbeatStatus::On);
    world.report(kNode1, HeartbeatStatus::On);
    world.ask(kNode1, PowerStatus::Off);
    world.report(kNode1, HeartbeatStatus::Stopping);
    world.now = at("09:00:40");
    world.lose(kNode1);
    world.now = at("09:02:00");
    world.decide(kNode1, core::PowerRefused{PowerStatus::On, core::ErrorCode::StandbyOpen}, kAlice);
    CHECK(what_if(world, "--release-standby true") == Rows{"web-1 09:02:00.000-end OFF/Starting"});
    CHECK(what_if(world, "--release-standby false").empty());
}

TEST_CASE("what-if: where heartbeats are compacted, losses stand as they were (2.3)") {
    World world;
    world.add(kNode1, "web-1");
    for (int i = 0; i < 4; ++i) {
        world.now += core::seconds(i == 2 ? 25 : 10);
        world.report(kNode1, HeartbeatStatus::On);
    }
    world.decide({}, core::HeartbeatsCompacted{{3}, {5}, 3, {}, {}}, {core::ActorKind::Policy, ""});
    world.now += core::seconds(15);
    world.report(kNode1, HeartbeatStatus::On);
    Data const data(world.events);
    CHECK(
        rows_of(replay(data.with("what-if --missed 1 --output ndjson"))) ==
        Rows{"web-1 09:01:05.000-09:01:10.000 ON/Crashed"}
    );
    CHECK(replay(data.with("what-if --missed 1")).out.find("up to event 5") != std::string::npos);
    auto const lines = replay(data.with("what-if --missed 1 --output ndjson"));
    CHECK(lines.err.find("up to event 5") != std::string::npos);
    auto const document = replay(data.with("what-if --missed 1 --output json")).json();
    CHECK(document.at("compacted_until").as_int64() == 5);
}
