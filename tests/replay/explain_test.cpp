// cpm-replay explain, diff, stats, step (event log 2.4): what they tell of a log.
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <algorithm>

using namespace cpm;
using namespace cpm::test;

namespace {

std::string at_member(boost::json::value const& value, char const* pointer) {
    return boost::json::serialize(value.at_pointer(pointer));
}

/// "server field before after" of each row, as JSON texts.
std::vector<std::string> changes(Run const& run) {
    std::vector<std::string> rows;
    for (auto const& row : run.ndjson())
        rows.push_back(
            at_member(row, "/server") + " " + at_member(row, "/field") + " " +
            at_member(row, "/before") + " " + at_member(row, "/after")
        );
    return rows;
}

bool has(std::vector<std::string> const& rows, std::string const& row) {
    return std::ranges::find(rows, row) != rows.end();
}

} // namespace

TEST_CASE("explain: the row, the evidence, the inputs and the last events (2.4)") {
    Data const data(small_history());
    auto const run = replay(data.with("explain web-1"));
    CHECK(run.status == 0);
    CHECK(
        run.out.starts_with("web-1 (srv_0000000000001111) is OFF by OFF/Stopping/None, after event "
                            "8 of 2026-11-21T09:01:40.000Z\n")
    );
    CHECK(run.out.find("It reported that it was going down, then fell silent") != run.out.npos);
    CHECK(run.out.find("OFF asked by alice at 2026-11-21T09:01:00.000Z (event 6)") != run.out.npos);
    CHECK(run.out.find("standby ") != run.out.npos);
    CHECK(run.out.find("HeartbeatLost") != run.out.npos);
    CHECK(run.out.find("StandbyElapsed") == run.out.npos); // the other server's
}

TEST_CASE("explain --at: as it was then, with the deadlines that were pending (2.4)") {
    Data const data(small_history());
    auto const then = replay(data.with("explain web-1 --at 7 --output json")).json();
    CHECK(at_member(then, "/server/actual_status") == "\"Stopping\"");
    CHECK(at_member(then, "/inputs/previous") == "\"ON\"");
    CHECK(at_member(then, "/inputs/request/answered") == "true");
    CHECK(at_member(then, "/pending/0/kind") == "\"standby\"");
    CHECK(at_member(then, "/pending/0/at") == "\"2026-11-21T09:06:00.000Z\"");
    CHECK(at_member(then, "/pending/1/kind") == "\"silence\"");
    CHECK(at_member(then, "/pending/1/at") == "\"2026-11-21T09:01:40.000Z\"");
    CHECK(then.at("events").as_array().size() == 6);
    auto const starting = replay(data.with("explain 東京サーバー --at 10 --output json")).json();
    CHECK(at_member(starting, "/pending/1/kind") == "\"wake\"");
    CHECK(at_member(starting, "/pending/1/at") == "\"2026-11-21T09:02:01.000Z\"");

    auto const early = replay(data.with("explain 東京サーバー --at 1"));
    CHECK(early.status == 2);
    CHECK(early.err.find("was not there after event 1") != std::string::npos);
}

TEST_CASE("explain: the latest of several servers that were called so is meant") {
    World world;
    world.add(kNode1, "db");
    world.decide(kNode1, core::ServerRemoved{}, kAlice);
    world.add(kNode2, "db");
    Data const data(world.events);
    auto const run = replay(data.with("explain db --output json")).json();
    CHECK(at_member(run, "/server/id") == "\"srv_0000000000002222\"");
}

TEST_CASE("diff --at --at: each field that became another, and each setting (2.4)") {
    auto events = small_history();
    World world;
    world.events = events;
    core::Event changed = events.back();
    changed.sequence = changed.decision = {12};
    changed.server = {};
    changed.actual.reset();
    changed.payload = core::SettingsChanged{{{"missed_heartbeats", "5"}}};
    events.push_back(changed);
    Data const data(events);

    auto const run = replay(data.with("diff --at 5 --at 8 --output ndjson"));
    CHECK(run.status == 1);
    auto const rows = changes(run);
    CHECK(has(rows, R"("web-1" "actual_status" "ON" "OFF")"));
    CHECK(has(rows, R"("web-1" "power_status" "ON" "OFF")"));
    CHECK(has(rows, R"("web-1" "current" "ON" "None")"));
    CHECK_FALSE(has(rows, R"("東京サーバー" "actual_status" "Unknown" "Unknown")"));
    CHECK(std::ranges::all_of(rows, [](auto const& row) { return row.starts_with("\"web-1\""); }));

    CHECK(
        has(changes(replay(data.with("diff --at 11 --output ndjson"))),
            R"(null "missed_heartbeats" "3" "5")")
    );
    CHECK(
        has(changes(replay(data.with("diff --at 1 --at 2 --output ndjson"))),
            R"("東京サーバー" "server" null "there")")
    );
    auto const same = replay(data.with("diff --at 7 --at 2026-11-21T09:01:20Z"));
    CHECK(same.status == 0);
    CHECK(same.lines().back().starts_with("nothing differs"));
}

TEST_CASE("diff LOG1 LOG2: up to where they are the same, and what comes then (2.4)") {
    auto const events = small_history();
    Data const one(std::vector(events.begin(), events.begin() + 8));
    Data const other(events);
    auto const paths = [](Data const& a, Data const& b) {
        return "diff '" + a.path().string() + "' '" + b.path().string() + "'";
    };
    // Another log has another id: nothing is the same.
    auto const strangers = replay(paths(one, other) + " --output json");
    CHECK(strangers.status == 1);
    CHECK(at_member(strangers.json(), "/common") == "0");

    TemporaryDirectory const copy;
    std::filesystem::copy(
        one.path(), copy.path() / "data", std::filesystem::copy_options::recursive
    );
    auto const same = replay("diff " + one.path().string() + " " + (copy.path() / "data").string());
    CHECK(same.status == 0);
    CHECK(same.lines().front() == "the same up to event 8");
    append(*open_log(copy.path() / "data"), std::span(events).subspan(8));
    auto const longer = replay(
        "diff " + one.path().string() + " " + (copy.path() / "data").string() + " --output json"
    );
    CHECK(longer.status == 1);
    CHECK(at_member(longer.json(), "/common") == "8");
    CHECK(at_member(longer.json(), "/first/events") == "0");
    CHECK(at_member(longer.json(), "/second/events") == "3");
    CHECK(at_member(longer.json(), "/second/next/0/type") == "\"PowerRequested\"");
    CHECK(at_member(longer.json(), "/changes/0/after") == "\"StartupDelayed\"");
}

TEST_CASE("stats: events by family and server, gaps, time in each status, slowest stops (2.4)") {
    Data const data(small_history());
    auto const stats = replay(data.with("stats --output json")).json();
    CHECK(at_member(stats, "/events") == "11");
    CHECK(at_member(stats, "/families/heartbeats/events") == "4");
    CHECK(at_member(stats, "/families/heartbeats/types/HeartbeatLost") == "1");
    CHECK(at_member(stats, "/families/people/events") == "0");
    CHECK(at_member(stats, "/servers/0/server") == "\"web-1\"");
    CHECK(at_member(stats, "/servers/0/heartbeats") == "3");
    CHECK(at_member(stats, "/servers/0/gaps/count") == "2");
    CHECK(at_member(stats, "/servers/0/gaps/mean_seconds") == "3E1");
    CHECK(at_member(stats, "/servers/0/gaps/longest_seconds") == "5E1");
    CHECK(at_member(stats, "/servers/0/gaps/longest_at") == "\"2026-11-21T09:00:20.000Z\"");
    CHECK(at_member(stats, "/servers/0/seconds_in_status/ON") == "4E1");
    CHECK(at_member(stats, "/servers/0/seconds_in_status/OFF") == "3.2E2");
    CHECK(at_member(stats, "/slowest_stops/0/seconds") == "4E1");
    CHECK(stats.at("slowest_starts").as_array().empty());
    auto const table = replay(data.with("stats"));
    CHECK(table.lines().front().starts_with("11 events from 2026-11-21T09:00:00.000Z to "));
    CHECK(table.out.find("SLOWEST STOPS  TOOK") != std::string::npos);
    CHECK(table.out.find("東京サーバー") != std::string::npos);
}

TEST_CASE("step: each event with what it changed, plain when piped (2.4)") {
    Data const data(small_history());
    auto const run = replay(data.with("step web-1"));
    CHECK(run.status == 0);
    CHECK(run.out.find('\x1b') == std::string::npos);
    auto const lines = run.lines();
    REQUIRE(lines.size() > 10);
    CHECK(lines[0] == "event 1  2026-11-21T09:00:00.000Z  ServerAdded  by user:alice");
    CHECK(run.out.find("event 6  2026-11-21T09:01:00.000Z  PowerRequested") != std::string::npos);
    CHECK(run.out.find("    actual_status  ON → BeforeStopping\n") != std::string::npos);
    CHECK(run.out.find("event 9") == std::string::npos);

    auto const rows = replay(data.with("step web-1 --output ndjson")).ndjson();
    REQUIRE(rows.size() == 7);
    CHECK(at_member(rows[6], "/sequence") == "8");
    CHECK(at_member(rows[6], "/changes/0/before") == "\"Stopping\"");
    CHECK(at_member(rows[6], "/changes/0/after") == "\"OFF\"");
}
