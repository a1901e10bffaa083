// cpm-replay log, state, transitions (event log 2.4): what they show of a log.
#include "tests/eventstore/events.hpp"
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;

namespace {

/// The value of a member in each object, as JSON text, joined by spaces.
std::string column(std::vector<boost::json::value> const& rows, std::string_view member) {
    std::string text;
    for (auto const& row : rows)
        text += (text.empty() ? "" : " ") + boost::json::serialize(row.at(member));
    return text;
}

std::string sequences(Data const& data, std::string const& arguments) {
    return column(replay(data.with(arguments + " --output ndjson")).ndjson(), "sequence");
}

std::string at_member(boost::json::value const& value, char const* pointer) {
    return boost::json::serialize(value.at_pointer(pointer));
}

} // namespace

TEST_CASE("log: each event is a row with its server's name, in the log's order (2.4)") {
    Data const data(small_history());
    auto const lines = replay(data.with("log")).lines();
    REQUIRE(lines.size() == 12);
    CHECK(lines[0].starts_with("SEQUENCE  TIME                      SERVER"));
    CHECK(lines[1].starts_with("1         2026-11-21T09:00:00.000Z  web-1 "));
    CHECK(lines[1].find("ServerAdded") != std::string::npos);
    CHECK(lines[1].find("user:alice") != std::string::npos);
    CHECK(lines[6].find("PowerRequested") != std::string::npos);
    CHECK(lines[6].find("BeforeStopping") != std::string::npos);
    CHECK(lines[6].find("OFF, standby time 300 s") != std::string::npos);
    CHECK(lines[11].find("東京サーバー") != std::string::npos);
}

TEST_CASE("log: filters by server, family, type, actor and range (2.4)") {
    Data const data(small_history());
    CHECK(sequences(data, "log") == "1 2 3 4 5 6 7 8 9 10 11");
    CHECK(sequences(data, "log --server web-1") == "1 3 4 5 6 7 8");
    CHECK(sequences(data, "log --server srv_0000000000002222") == "2 9 10 11");
    CHECK(sequences(data, "log --server web-1 --server 東京サーバー --from 8") == "8 9 10 11");
    CHECK(sequences(data, "log --family heartbeats") == "3 5 7 8");
    CHECK(sequences(data, "log --family fleet,heartbeats --to 4") == "1 2 3");
    CHECK(sequences(data, "log --type PowerAdopted --type WakeSent") == "4 10");
    CHECK(sequences(data, "log --actor alice") == "1 2 6 9");
    CHECK(sequences(data, "log --actor user:alice --server web-1") == "1 6");
    CHECK(sequences(data, "log --actor timer") == "8 10 11");
    CHECK(sequences(data, "log --from 4 --to 6") == "4 5 6");
    CHECK(
        sequences(data, "log --from 2026-11-21T18:01:10+09:00 --to 2026-11-21T09:01:59Z") == "7 8"
    );
    CHECK(sequences(data, "log --from 99") == "");
}

TEST_CASE("log: a server is found by a name it had, and a removed one keeps its name (2.4)") {
    World world;
    world.add(kNode1, "old");
    core::ServerUpdated renamed;
    renamed.config.name = "new";
    world.decide(kNode1, renamed, kAlice);
    world.decide(kNode1, core::ServerRemoved{}, kAlice);
    Data const data(world.events);
    CHECK(sequences(data, "log --server old") == "1 2 3");
    CHECK(sequences(data, "log --server new") == "1 2 3");
    auto const lines = replay(data.with("log")).lines();
    REQUIRE(lines.size() == 4);
    CHECK(lines[1].find("  old  ") != std::string::npos);
    CHECK(lines[3].find("  new  ") != std::string::npos);
}

TEST_CASE("log: an event of every type can be shown (2.1)") {
    Data const data(one_of_each());
    auto const table = replay(data.with("log"));
    CHECK(table.status == 0);
    auto const lines = table.lines();
    auto const names = core::type_names();
    REQUIRE(lines.size() == names.size() + 1);
    for (std::size_t i = 0; i < names.size(); ++i)
        CHECK(lines[i + 1].find("  " + std::string(names[i])) != std::string::npos);
    CHECK(replay(data.with("log --output json")).json().as_array().size() == names.size());
}

TEST_CASE("state: the servers as they are at the end of the log (2.4)") {
    Data const data(small_history());
    auto const lines = replay(data.with("state")).lines();
    REQUIRE(lines.size() == 4);
    CHECK(lines[1].starts_with("web-1 "));
    CHECK(
        lines[1].find("  OFF             OFF/Stopping/None  2026-11-21T09:01:40Z  OFF    "
                      "Stopping/None     2026-11-21T09:01:10Z") != std::string::npos
    );
    CHECK(
        lines[2].find("  StartupDelayed  S                  2026-11-21T09:07:00Z  ON     "
                      "None/None         never") != std::string::npos
    );
    CHECK(lines[3] == "2 servers after event 11, 2026-11-21T09:07:00.000Z");
}

TEST_CASE("state --at: the servers as they were at a sequence or a time (2.4)") {
    Data const data(small_history());
    auto const status = [&](std::string const& moment, char const* pointer) {
        return at_member(replay(data.with("state --output json --at " + moment)).json(), pointer);
    };
    CHECK(status("1", "/servers/0/actual_status") == "\"Unknown\"");
    CHECK(status("6", "/servers/0/actual_status") == "\"BeforeStopping\"");
    CHECK(status("6", "/servers/0/heartbeat_status/previous") == "\"ON\"");
    CHECK(status("2026-11-21T09:01:39.999Z", "/servers/0/actual_status") == "\"Stopping\"");
    CHECK(status("2026-11-21T09:01:40Z", "/servers/0/actual_status") == "\"OFF\"");
    CHECK(
        replay(data.with("state --at 2026-11-20T00:00:00Z")).lines().back() ==
        "0 servers before the first event"
    );
}

TEST_CASE("state --at: the standby time is what was left of it then (1.5)") {
    Data const data(small_history());
    auto const remaining = [&](std::string const& moment) {
        auto const run = replay(data.with("state --output json --at " + moment));
        return at_member(run.json(), "/servers/0/standby/remaining_seconds");
    };
    CHECK(remaining("6") == "300");
    CHECK(remaining("8") == "260");
    CHECK(remaining("2026-11-21T09:01:30Z") == "270");
}

TEST_CASE("state --at: a decision is taken whole, so no status in between is shown (1.4)") {
    Data const data(small_history());
    auto const run = replay(data.with("state --output json --at 3")).json();
    CHECK(at_member(run, "/sequence") == "4");
    CHECK(at_member(run, "/servers/0/actual_status") == "\"ManuallyON\"");
    CHECK(at_member(run, "/servers/0/reason/rule") == "\"adopted\"");
    CHECK(at_member(run, "/servers/0/power_status") == "\"ON\"");
}

TEST_CASE("transitions: one for each decision that changed a status, with what led there (2.4)") {
    Data const data(small_history());
    auto const rows = replay(data.with("transitions --output ndjson")).ndjson();
    CHECK(column(rows, "sequence") == "1 2 3 5 6 7 8 9 11");
    CHECK(
        column(rows, "to") ==
        R"("Unknown" "Unknown" "ManuallyON" "ON" "BeforeStopping" "Stopping" )"
        R"("OFF" "Starting" "StartupDelayed")"
    );
    CHECK(
        column(rows, "from") == R"(null null "Unknown" "ManuallyON" "ON" "BeforeStopping" )"
                                R"("Stopping" "Unknown" "Starting")"
    );
    CHECK(at_member(rows.at(2), "/events/0/type") == "\"HeartbeatReceived\"");
    CHECK(at_member(rows.at(2), "/events/1/type") == "\"PowerAdopted\"");
    CHECK(at_member(rows.at(6), "/reason/rule") == "\"OFF/Stopping/None\"");
    CHECK(at_member(rows.at(8), "/reason/rule") == "\"S\"");
    CHECK(rows.at(8).at_pointer("/reason/text").as_string().size() > 20);
    CHECK(sequences(data, "transitions web-1") == "1 3 5 6 7 8");
    auto const lines = replay(data.with("transitions web-1")).lines();
    REQUIRE(lines.size() == 7);
    CHECK(lines[2].find("HeartbeatReceived + PowerAdopted, agent") != std::string::npos);
}

TEST_CASE("output: an empty log is shown as one, in every form") {
    Data const data({});
    CHECK(replay(data.with("log --output json")).out == "[]\n");
    CHECK(replay(data.with("log --output ndjson")).out == "");
    CHECK(replay(data.with("log")).lines().size() == 1);
    CHECK(replay(data.with("transitions --output json")).out == "[]\n");
    CHECK(replay(data.with("state --output json")).json().at("servers").as_array().empty());
    CHECK(replay(data.with("verify")).status == 0);
}
