// cpm-replay verify (event log 2.4): each way in which a log can be wrong is found and named.
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace cpm;
using namespace cpm::test;

namespace {

/// "check first" or "check first-last" of each fault; ends with the exit status.
std::string faults(Data const& data) {
    auto const run = replay(data.with("verify --output json"));
    auto const result = run.json();
    std::string text;
    for (auto const& fault : result.at("faults").as_array()) {
        auto const first = boost::json::serialize(fault.at("first"));
        auto const last = boost::json::serialize(fault.at("last"));
        text += std::string(fault.at("check").as_string()) + " " + first +
                (first == last ? "" : "-" + last) + ", ";
    }
    CHECK(result.at("clean").as_bool() == text.empty());
    return text + "exit " + std::to_string(run.status);
}

/// A longer history: what is lost from it leaves enough to go on with.
std::vector<core::Event> heartbeats(int count) {
    World world;
    world.add(kNode1, "web-1");
    for (int i = 0; i < count; ++i)
        world.report(kNode1, core::HeartbeatStatus::On);
    return world.events;
}

} // namespace

TEST_CASE("verify: a log as it was written is clean, and counted (2.4)") {
    Data const data(small_history());
    auto const run = replay(data.with("verify"));
    CHECK(run.status == 0);
    CHECK(run.err == "");
    REQUIRE(run.lines().size() == 1);
    CHECK(run.out.starts_with("clean: 11 events, 10 decisions, 2 servers; epoch 1, head 11 "));
    auto const hash = open_log(data.path())->head().hash;
    auto const json = replay(data.with("verify --output json")).json();
    CHECK(json.at_pointer("/head/hash").as_string().size() == 2 * hash.size());
    CHECK(json.at("events").as_int64() == 11);
}

TEST_CASE("verify: a changed record is named (2.2)") {
    Data const data(small_history());
    data.change(6, [](core::Event& event) { event.actor.name = "mallory"; });
    CHECK(faults(data) == "chain 6, exit 1");
    auto const lines = replay(data.with("verify")).lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[1].starts_with("6      chain  event 7 carries another hash of it"));
    CHECK(lines[2].starts_with("1 fault: 11 events"));
}

TEST_CASE("verify: the first and the last record are held as well (2.2)") {
    Data const first(small_history());
    first.change(1, [](core::Event& event) { event.actor.name = "mallory"; });
    CHECK(faults(first) == "chain 1, exit 1");
    Data const last(small_history());
    last.change(11, [](core::Event& event) { event.at += core::seconds(1); });
    CHECK(faults(last) == "witness 11, exit 1");
}

TEST_CASE("verify: a record that cannot be read is named, and the rest is checked (2.2)") {
    Data const data(heartbeats(20));
    data.overwrite(9, "this is no record");
    data.change(15, [](core::Event& event) { event.actor.name = "mallory"; });
    CHECK(faults(data) == "record 9, chain 15, exit 1");
}

TEST_CASE("verify: a dropped record is named, several in a row in one line (2.2)") {
    Data const one(heartbeats(20));
    one.drop(9);
    CHECK(faults(one) == "record 9, exit 1");
    auto const lines = replay(one.with("verify")).lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[1] == "9      record  its record is missing");
    Data const several(heartbeats(20));
    for (std::uint64_t sequence : {5, 6, 7, 12})
        several.drop(sequence);
    CHECK(faults(several) == "record 5-7, record 12, exit 1");
}

TEST_CASE("verify: two records that changed places are named (2.2)") {
    auto const events = heartbeats(20);
    Data const data(events);
    data.change(9, [&](core::Event& event) { event = events[9]; });
    data.change(10, [&](core::Event& event) { event = events[8]; });
    CHECK(faults(data) == "record 9, record 10, exit 1");
}

TEST_CASE("verify: a log that ends before its witness is named (2.2)") {
    Data const data(small_history());
    data.drop(11);
    CHECK(faults(data) == "witness 11, exit 1");
}

TEST_CASE("verify: a witness that is missing or damaged is named (2.2)") {
    Data const data(small_history());
    auto const witness = data.path() / "head-witness";
    std::filesystem::resize_file(witness, 10);
    CHECK(faults(data) == "witness null, exit 1");
    std::filesystem::remove(witness);
    CHECK(faults(data) == "witness null, exit 1");
    CHECK(replay(data.with("verify")).out.find("head-witness is missing") != std::string::npos);
}

TEST_CASE("verify: a log put in the place of another is told by the witness (2.2)") {
    Data const data(heartbeats(5));
    Data const other(heartbeats(5));
    auto const everything = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(
        other.path() / "head-witness", data.path() / "head-witness", everything
    );
    CHECK(faults(data) == "witness 7, exit 1");
}

TEST_CASE("verify: a witness of a later epoch is named (2.2)") {
    Data const data(small_history());
    auto const witness = data.path() / "head-witness";
    std::string text;
    std::getline(std::ifstream(witness), text, '\0');
    REQUIRE(text.starts_with("epoch 1\n"));
    text[6] = '2';
    std::ofstream(witness) << text;
    CHECK(faults(data) == "witness 11, exit 1");
}

TEST_CASE(
    "verify: another list of files than was noted is named, and neither copied nor put back (2.2)"
) {
    Data const data(small_history());
    auto const copy = data.path().string() + "-copy";
    REQUIRE(replay(data.with("backup " + copy)).status == 0);
    // The note has another hash: the list that can be read is another than was there.
    for (auto const& changed : {data.path(), std::filesystem::path(copy)}) {
        std::string note;
        std::getline(std::ifstream(changed / "list-of-files"), note);
        note.back() = note.back() == '0' ? '1' : '0';
        std::ofstream(changed / "list-of-files") << note << '\n';
    }
    CHECK(faults(data) == "witness null, exit 1");
    CHECK(
        replay(data.with("verify")).out.find("its list of files, MANIFEST-") != std::string::npos
    );
    auto const again = replay(data.with("backup " + copy + "-2"));
    CHECK(again.status == 3);
    CHECK(again.err.find("its list of files, MANIFEST-") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(copy + "-2"));
    auto const restored = replay("--data-dir '" + copy + "-3' restore " + copy);
    CHECK(restored.status == 3);
    CHECK(restored.err.find("its list of files, MANIFEST-") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(copy + "-3"));
    std::filesystem::remove_all(copy);
}

TEST_CASE("verify: a log that was opened although it had lost records is no clean one (2.2)") {
    Data const data(small_history());
    data.drop(11);
    REQUIRE(eventstore::RocksDbLog::open({data.path(), true}));
    CHECK(faults(data) == "witness null, exit 1");
    CHECK(replay(data.with("verify")).out.find("the log is rolled back") != std::string::npos);

    core::Event accepted;
    accepted.sequence = accepted.decision = {11};
    accepted.payload = core::RollbackAccepted{2};
    append(*open_log(data.path()), std::span(&accepted, 1));
    CHECK(faults(data) == "exit 0");
}

TEST_CASE("verify: a recorded status that does not follow from the events is named (2.1)") {
    auto events = small_history();
    events[5].actual = core::ActualStatus::Off; // the OFF was only just asked for
    events[8].actual = std::nullopt;
    Data const data(events);
    CHECK(faults(data) == "status 6, status 9, exit 1");
    auto const lines = replay(data.with("verify")).lines();
    REQUIRE(lines.size() == 4);
    CHECK(
        lines[1] ==
        "6      status  OFF is recorded, and BeforeStopping follows from the events for web-1"
    );
}

TEST_CASE("verify: each event of a decision records the status after the decision (1.4)") {
    auto events = small_history();
    REQUIRE(events[2].actual == core::ActualStatus::ManuallyOn);
    events[3].actual = core::ActualStatus::On; // as if PowerAdopted counted for itself
    CHECK(faults(Data(events)) == "status 4, exit 1");
}

TEST_CASE("verify: an event of a decision that began elsewhere is named (2.1)") {
    auto events = small_history();
    events[6].decision = {5};
    CHECK(faults(Data(events)) == "record 7, exit 1");
}

TEST_CASE("verify: what may follow from a loss is told once, not for each event (2.4)") {
    World world;
    world.add(kNode1, "web-1");
    world.add(kNode2, "web-2");
    for (int i = 0; i < 5; ++i)
        world.report(kNode1, core::HeartbeatStatus::On);
    Data const data(world.events);
    data.drop(1); // nothing tells that web-1 exists
    CHECK(faults(data) == "record 1, status 3, exit 1");
}

TEST_CASE("verify: ndjson has a line a fault and ends with the result") {
    Data const data(heartbeats(20));
    data.drop(5);
    data.drop(9);
    auto const rows = replay(data.with("verify --output ndjson")).ndjson();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].at("first").as_int64() == 5);
    CHECK(rows[1].at("first").as_int64() == 9);
    CHECK(rows[2].at("clean").as_bool() == false);
    CHECK(rows[2].at("events").as_int64() == 20);
}

TEST_CASE("verify: an index that lists other events than there are is told (2.2)") {
    Data const data(small_history());
    data.drop_from_index(kNode1.value, 6);
    CHECK(faults(data) == "index null, exit 1");
    Data const names(small_history());
    names.drop_from_index(0, 2);
    CHECK(faults(names) == "index null, exit 1");
}

TEST_CASE("verify: accounts that cannot be read are told, though the events are whole (2.2)") {
    Data const data(small_history());
    data.damage_accounts();
    CHECK(faults(data) == "table null, exit 1");
    CHECK(replay(data.with("verify")).out.find(".sst") != std::string::npos);
    CHECK(replay(data.with("export")).status == 0);
    Data const other(small_history());
    other.remove_index_file();
    CHECK(faults(other) == "index null, table null, exit 1");
}
