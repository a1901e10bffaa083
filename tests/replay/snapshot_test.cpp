// cpm-replay verify holds snapshots against the events (event log 2.3, 2.4).
#include "eventstore/snapshot_store.hpp"
#include "projections/log_fold.hpp"
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace cpm;
using namespace cpm::test;
using projections::LogFold;

namespace {

struct Kept {
    explicit Kept(std::vector<core::Event> const& events = small_history())
        : data(events) {}

    Data data;
    eventstore::SnapshotStore store{data.path()};

    /// What follows from the events up to this one.
    eventstore::Snapshot at(std::uint64_t sequence) const {
        LogFold fold;
        eventstore::Snapshot snapshot{{}, projections::fold_code(), {}};
        auto const read = open_log(data.path())->read({1}, {sequence}, [&](auto const& stored) {
            (void)fold.apply(stored.event);
            snapshot.head = {fold.fleet().epoch, stored.event.sequence, stored.hash};
            return true;
        });
        REQUIRE(read);
        snapshot.content = pack(fold);
        return snapshot;
    }
    void write(eventstore::Snapshot const& snapshot) const { REQUIRE(store.write(snapshot)); }

    /// How many snapshots were confirmed, the events of the faults, the exit status.
    std::string verified() const {
        auto const run = replay(data.with("verify --output json"));
        auto const result = run.json();
        std::string text = boost::json::serialize(result.at("snapshots")) + " confirmed";
        for (auto const& fault : result.at("faults").as_array())
            text += ", " + std::string(fault.at("check").as_string()) + " " +
                    boost::json::serialize(fault.at("first"));
        return text + ", exit " + std::to_string(run.status);
    }
};

} // namespace

TEST_CASE("verify: snapshots that follow from the events are counted (2.3)") {
    Kept kept;
    CHECK(kept.verified() == "0 confirmed, exit 0");
    kept.write(kept.at(4)); // in the middle of a decision
    kept.write(kept.at(11));
    CHECK(kept.verified() == "2 confirmed, exit 0");
    CHECK(
        replay(kept.data.with("verify")).out.find(" servers, 2 snapshots; ") != std::string::npos
    );
}

TEST_CASE("verify: a snapshot that is not what follows from the events is named (2.3)") {
    Kept kept;
    auto wrong = kept.at(9);
    wrong.content = kept.at(8).content;
    kept.write(wrong);
    kept.write(kept.at(10));
    CHECK(kept.verified() == "1 confirmed, snapshot 9, exit 1");
    auto const lines = replay(kept.data.with("verify")).lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[1].find("it is not what follows from the events") != std::string::npos);
}

TEST_CASE("verify: a damaged snapshot is named (2.3)") {
    Kept kept;
    kept.write(kept.at(9));
    auto const file = kept.data.path() / "snapshots" / "00000000000000000009";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    CHECK(kept.verified() == "0 confirmed, snapshot 9, exit 1");
}

TEST_CASE("verify: a snapshot of another log, or of a lost end, is named (2.3)") {
    Kept kept;
    auto other = kept.at(9);
    other.head.hash[0] ^= 1;
    kept.write(other);
    CHECK(kept.verified() == "0 confirmed, snapshot 9, exit 1");
    auto behind = kept.at(11);
    behind.head.sequence.value = 12;
    kept.write(behind);
    CHECK(kept.verified() == "0 confirmed, snapshot 9, snapshot 12, exit 1");
}

TEST_CASE("verify: a snapshot of another version of CPM is not judged (2.3)") {
    Kept kept;
    auto older = kept.at(9);
    older.fold[0] ^= 1;
    older.content = "in other words";
    kept.write(older);
    CHECK(kept.verified() == "0 confirmed, exit 0");
}

TEST_CASE("verify: what follows from a lost record nobody knows, nor whether a snapshot does (2.3)"
) {
    Kept kept;
    kept.write(kept.at(9));
    kept.data.drop(5);
    CHECK(kept.verified() == "0 confirmed, record 5, exit 1");
}

TEST_CASE("verify: a snapshot of records that were compacted away since is not judged (2.3)") {
    World world;
    world.add(kNode1, "web-1");
    for (int i = 0; i < 9; ++i)
        world.report(kNode1, core::HeartbeatStatus::On);
    auto const before = world.events.size();
    world.add(kNode2, "web-2");
    world.report(kNode1, core::HeartbeatStatus::On);
    Kept kept(world.events);
    auto const between = kept.at(before + 1); // it knows of the last heartbeat before
    kept.write(kept.at(before));              // ends with one
    kept.write(between);
    CHECK(kept.verified() == "2 confirmed, exit 0");
    kept.data.compact({{5, before}});
    CHECK(kept.at(before + 1).content != between.content);
    CHECK(kept.verified() == "0 confirmed, exit 0");
    kept.write(kept.at(before + 3)); // the event that compacted them
    CHECK(kept.verified() == "1 confirmed, exit 0");
}
