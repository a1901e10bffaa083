// cpm-replay on a log whose routine heartbeats were compacted away (event log 2.3, 2.4).
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace cpm;
using namespace cpm::test;

namespace fs = std::filesystem;

namespace {

/// One server: added as 1, 40 heartbeats as 2 to 42 (the first one adopts it: 3), then switched
/// off: 43 to 45. Heartbeats 5 to 41 are routine, and another follows each.
std::vector<core::Event> history() {
    World world;
    world.add(kNode1, "web-1");
    for (int i = 0; i < 40; ++i) {
        world.now += core::seconds(10);
        world.report(kNode1, core::HeartbeatStatus::On);
    }
    world.now += core::seconds(5);
    world.ask(kNode1, core::PowerStatus::Off);
    world.now += core::seconds(5);
    world.report(kNode1, core::HeartbeatStatus::Stopping);
    world.now += core::seconds(30);
    world.lose(kNode1);
    return world.events;
}

std::string out(Data const& data, std::string const& arguments) {
    auto const run = replay(data.with(arguments));
    CHECK_MESSAGE(run.status == 0, run.err);
    return run.out;
}

/// The faults of verify as "check first-last", and its exit status.
std::string faults(Data const& data) {
    auto const run = replay(data.with("verify --output json"));
    std::string text;
    auto const result = run.json();
    for (auto const& fault : result.at("faults").as_array())
        text += std::string(fault.at("check").as_string()) + " " +
                boost::json::serialize(fault.at("first")) + "-" +
                boost::json::serialize(fault.at("last")) + ", ";
    return text + "exit " + std::to_string(run.status);
}

} // namespace

TEST_CASE("compacted: the history is 45 events, whole and clean") {
    Data const data(history());
    CHECK(out(data, "verify").starts_with("clean: 45 events, "));
}

TEST_CASE("compacted: transitions, state and explain are those of the whole log (2.3)") {
    for (std::size_t const removed : {0, 1, 2}) {
        CAPTURE(removed);
        Data const data(history());
        TemporaryDirectory const place;
        auto const copy = place.path() / "whole";
        fs::copy(data.path(), copy, fs::copy_options::recursive);
        data.compact({{5, 20}, {21, 41}}, removed);
        for (std::string const command :
             {"transitions --output ndjson",
              "transitions web-1 --output json",
              "state --output ndjson",
              "state --at 42 --output json"}) {
            CAPTURE(command);
            CHECK(out(data, command) == replay("--data-dir " + copy.string() + " " + command).out);
        }
        auto const explained =
            replay("--data-dir " + copy.string() + " explain web-1 --at 45").lines();
        CHECK(replay(data.with("explain web-1 --at 45")).lines().at(0) == explained.at(0));
        auto const diff =
            replay("diff " + copy.string() + " " + data.path().string() + " --output json");
        CHECK(diff.status == 1); // two more events
        CHECK(diff.json().at("common").as_int64() == 45);
        CHECK(diff.json().at("changes").as_array().empty());
    }
}

TEST_CASE("compacted: diff of two logs counts the events that are there (2.4)") {
    Data const data(history());
    Data const other(history());
    data.compact({{5, 41}});
    auto const paths = "diff " + data.path().string() + " " + other.path().string();
    auto const diff = replay(paths + " --output json");
    CHECK(diff.status == 1);
    CHECK(diff.json().at("common").as_int64() == 0); // each log has an id of its own
    CHECK(diff.json().at("first").at("events").as_int64() == 9);
    CHECK(diff.json().at("first").at("next").as_array().size() == 5);
    CHECK(diff.json().at("second").at("events").as_int64() == 45);
    auto const text = replay(paths).out;
    CHECK(text.starts_with("nothing is the same\n"));
    CHECK(text.find(" has 9 more, first 5:") != std::string::npos);
}

TEST_CASE("compacted: who looks at a moment of which heartbeats are gone is told so (2.3)") {
    Data const data(history());
    data.compact({{5, 41}});
    for (std::string const command : {"state", "explain web-1"}) {
        auto const then = replay(data.with(command + " --at 30"));
        CHECK(then.status == 0);
        CHECK(then.err.find("compacted up to event 41") != std::string::npos);
        CHECK(replay(data.with(command + " --at 43")).err.empty());
        CHECK(replay(data.with(command)).err.empty());
    }
}

TEST_CASE("compacted: verify reads over a range, deleted or not yet, and counts it (2.3)") {
    Data const data(history());
    data.compact({{5, 20}, {21, 41}}, 1);
    auto const text = out(data, "verify");
    CHECK(text.starts_with("clean: 31 events and 16 heartbeats compacted away, "));
    auto const json = replay(data.with("verify --output json")).json();
    CHECK(json.at("events").as_int64() == 31);
    CHECK(json.at("compacted").as_int64() == 16);
}

TEST_CASE("compacted: log and step show what is there (2.4)") {
    Data const data(history());
    data.compact({{5, 41}});
    CHECK(replay(data.with("log --output ndjson")).ndjson().size() == 9);
    CHECK(replay(data.with("log --server web-1 --output ndjson")).ndjson().size() == 8);
    CHECK(replay(data.with("log --from 7 --to 30 --output ndjson")).ndjson().empty());
    auto const steps = replay(data.with("step web-1 </dev/null"));
    CHECK(steps.status == 0);
    CHECK(steps.out.find("HeartbeatLost") != std::string::npos);
}

TEST_CASE("compacted: stats count no gap where heartbeats may be missing (2.3)") {
    Data const data(history());
    data.compact({{5, 30}});
    auto const stats = replay(data.with("stats --output json")).json();
    CHECK(stats.at("compacted_until").as_int64() == 30);
    CHECK(stats.at("events").as_int64() == 20);
    auto const& gaps = stats.at("servers").at(0).at("gaps");
    CHECK(gaps.at("count").as_int64() == 12); // 31 to 42, and the one that said Stopping
    CHECK(gaps.at("longest_seconds").as_double() == 10.0);
    CHECK(out(data, "stats").find("compacted up to event 30") != std::string::npos);
}

TEST_CASE("compacted: export, import, export: identical bytes (2.4)") {
    for (bool const removed : {false, true}) {
        Data const data(history());
        data.compact({{5, 20}, {21, 41}}, removed ? 2 : 1);
        auto const text = out(data, "export");
        TemporaryDirectory const place;
        std::ofstream(place.path() / "export.ndjson", std::ios::binary) << text;
        auto const copy = "--data-dir '" + (place.path() / "copy").string() + "' ";
        auto const import =
            replay(copy + "import '" + (place.path() / "export.ndjson").string() + "'");
        CHECK_MESSAGE(import.status == 0, import.err);
        CHECK(replay(copy + "export").out == text);
        CHECK(replay(copy + "verify").out == out(data, "verify"));
    }
}

TEST_CASE("compacted: verify names what is wrong with a range (2.4)") {
    auto const broken = [](std::function<void(Data const&)> const& damage, bool removed = true) {
        Data const data(history());
        data.compact({{5, 41}}, removed ? 1 : 0);
        damage(data);
        return faults(data);
    };
    CHECK(broken([](Data const&) {}) == "exit 0");
    // A record before, behind, and the event that names it.
    CHECK(broken([](Data const& data) { data.drop(42); }).starts_with("record 42-42, "));
    CHECK(broken([](Data const& data) { data.drop(46); }).find("record 5-41") != std::string::npos);
    CHECK(broken([](Data const& data) {
              data.change(4, [](core::Event& event) { event.actor.name = "mallory"; });
          }).find("chain 5-5, ") != std::string::npos);
    CHECK(broken([](Data const& data) {
              data.change(42, [](core::Event& event) { event.actor.name = "mallory"; });
          }) == "chain 42-42, exit 1");
    auto const change = [](auto edit) {
        return [edit](Data const& data) {
            data.change(46, [edit](core::Event& event) {
                edit(std::get<core::HeartbeatsCompacted>(event.payload));
            });
        };
    };
    // Somebody who changes the event, the last one, changes the head.
    CHECK(broken(change([](auto& range) {
              range.count = 36;
          })) == "range 46-46, witness 46-46, exit 1");
    CHECK(broken(change([](auto& range) {
              range.last_hash[0] ^= 1;
          })) == "chain 41-41, witness 46-46, exit 1");
    CHECK(
        broken(change([](auto& range) { range.last_hash[0] ^= 1; }), false) ==
        "range 46-46, witness 46-46, exit 1"
    );
    CHECK(
        broken(change([](auto& range) { range.prev_hash[0] ^= 1; }), false) ==
        "range 46-46, witness 46-46, exit 1"
    );
    CHECK(broken(change([](auto& range) { range.last = {40}; }), false).find("range 46-46") == 0);
    // The index is derived: without it nobody finds what lies behind.
    CHECK(broken([](Data const& data) { data.drop_range(5); }, false) == "index null-null, exit 1");
    CHECK(broken([](Data const& data) {
              data.drop_range(5);
          }).find("index null-null") != std::string::npos);
}
