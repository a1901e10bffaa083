// Starts from a snapshot, and what makes snapshots (event log 2.3): nothing may depend on whether
// there is one.
#include "eventstore/fault_point.hpp"
#include "manager/snapshot_keeper.hpp"
#include "tests/manager/rig.hpp"

#include <random>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::HeartbeatStatus;
using core::PowerStatus;
using eventstore::Snapshot;
using projections::LogFold;
using projections::pack;

namespace {

/// The fold of the log's first events, one event at a time.
template <class Visit>
void fold_log(Rig& rig, Visit visit) {
    LogFold fold;
    auto const read =
        rig.log().read({1}, rig.log().head().sequence, [&](eventstore::StoredEvent const& stored) {
            (void)fold.apply(stored.event);
            visit(fold, eventstore::Head{fold.fleet().epoch, stored.event.sequence, stored.hash});
            return true;
        });
    REQUIRE(read);
}

/// As bytes: all that is served of the log.
std::string folded(Rig& rig) {
    std::string bytes;
    auto const last = rig.log().head().sequence;
    fold_log(rig, [&](LogFold const& fold, eventstore::Head const& end) {
        if (end.sequence == last)
            bytes = pack(fold);
    });
    return bytes;
}

Snapshot snapshot_at(Rig& rig, core::Sequence sequence) {
    Snapshot snapshot;
    fold_log(rig, [&](LogFold const& fold, eventstore::Head const& end) {
        if (end.sequence == sequence)
            snapshot = {end, projections::fold_code(), pack(fold)};
    });
    REQUIRE(snapshot.head.sequence == sequence);
    return snapshot;
}

core::Sequence head(Rig& rig) {
    return rig.log().head().sequence;
}

void start_again(Rig& rig) {
    rig.kill();
    rig.reports.clear();
    auto const started = rig.start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
}

/// What a start arms, and what it made of the servers.
struct Start {
    std::size_t timers = 0;
    std::optional<core::MonoTime> next_due;
    core::Fleet fleet;
    bool operator==(Start const&) const = default;
};

Start started(Rig& rig) {
    return {rig.engine().timers(), rig.engine().next_due(), rig.heard().fleet()};
}

/// Anything that may happen to four servers.
void live(Rig& rig, std::uint64_t seed, int steps) {
    std::mt19937_64 random(seed);
    auto const below = [&](unsigned limit) { return unsigned(random() % limit); };
    rig.set("standby_time_seconds", "40");
    std::vector<core::ServerId> servers;
    std::uint8_t added = 0;
    auto const add = [&] {
        servers.push_back(rig.enrolled("n" + std::to_string(added + 1), std::uint8_t(added + 1)));
        ++added;
    };
    for (int i = 0; i < 4; ++i)
        add();
    for (int step = 0; step < steps; ++step) {
        auto const which = below(unsigned(servers.size()));
        auto const id = servers[which];
        auto const action = below(20);
        if (action < 9) {
            auto said = report(
                below(3) ? HeartbeatStatus::On : HeartbeatStatus::Stopping,
                static_cast<std::uint8_t>(1 + below(3))
            );
            if (below(10) == 0)
                said.blocked_by = "hold";
            (void)rig.says(id, said);
        } else if (action < 13) {
            manager::RequestPower command;
            command.actor = kAlice;
            command.server = id;
            command.target = below(2) ? PowerStatus::On : PowerStatus::Off;
            (void)rig.ask(std::move(command));
        } else if (action == 13) {
            REQUIRE(rig.ask(manager::RemoveServer{kAlice, id, {}, true}));
            servers.erase(servers.begin() + which);
            add();
        } else if (action == 14) {
            rig.set("release_standby_when_settled", below(2) ? "true" : "false");
        } else if (action == 15) {
            rig.restart(std::chrono::milliseconds(below(60'000)));
        } else {
            rig.pass(std::chrono::milliseconds(below(below(4) ? 3'000 : 40'000)));
        }
    }
}

bool is_told(Rig const& rig, std::string_view part) {
    for (auto const& line : rig.reports)
        if (line.find(part) != std::string::npos)
            return true;
    return false;
}

/// A log with some history, and what a keeper needs.
struct Kept {
    Kept() {
        rig.running("n", 1);
        rig.wants(rig.enrolled("m", 2), PowerStatus::On);
    }
    manager::SnapshotKeeper::Parts parts() {
        return {
            .log = rig.log(),
            .store = rig.snapshots(),
            .clock = rig.clock,
            .report = [this](std::string_view line) { lines.emplace_back(line); },
            .on_failure = [this](core::Error const& error) { failures.push_back(error); },
            .space_reserve = 1'000'000,
            .every = 50,
        };
    }
    void grow(int heartbeats) {
        auto const id = rig.heard().fleet().by_name.at("n");
        for (int i = 0; i < heartbeats; ++i)
            rig.says_on(id);
    }
    std::vector<core::Sequence> list() const { return rig.snapshots().list(); }

    Rig rig;
    std::vector<std::string> lines;
    std::vector<core::Error> failures;
};

} // namespace

TEST_CASE("snapshot: a start from one at any event serves, arms and writes the same (2.3)") {
    auto const seed = std::random_device{}();
    MESSAGE("seed " << seed);
    for (std::uint64_t i = 0; i < 3; ++i) {
        INFO("life " << i);
        Rig rig;
        live(rig, seed + i, 60);
        std::vector<Snapshot> snapshots;
        fold_log(rig, [&](LogFold const& fold, eventstore::Head const& end) {
            snapshots.push_back({end, projections::fold_code(), pack(fold)});
        });

        start_again(rig); // what elapsed meanwhile has elapsed for all that follow
        start_again(rig);
        auto const without = started(rig);
        auto straight = folded(rig);
        REQUIRE(pack(rig.heard().fold()) == straight);
        for (auto const& snapshot : snapshots) {
            INFO("snapshot at event " << snapshot.head.sequence.value);
            REQUIRE(rig.snapshots().write(snapshot));
            auto const before = head(rig);
            start_again(rig);
            REQUIRE(rig.heard().restored() == snapshot.head.sequence);
            CHECK(rig.heard().history() == before.value - snapshot.head.sequence.value);
            CHECK(head(rig) == before.next()); // ManagerStarted
            CHECK(started(rig) == without);
            CHECK(pack(rig.heard().fold()) == folded(rig));
            rig.snapshots().remove_all();
        }
    }
}

TEST_CASE("snapshot: what elapsed while the manager was away elapses from a snapshot, too (1.5)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.wants(id, PowerStatus::On);
    REQUIRE(rig.snapshots().write(snapshot_at(rig, head(rig))));
    rig.happened();
    rig.restart(301s);
    CHECK(rig.heard().restored());
    CHECK(rig.happened() == Names{"ManagerStarted", "StandbyElapsed"});
    CHECK(rig.actual(id) == "StartupDelayed");
}

TEST_CASE("snapshot: the newest that counts is taken; each newer one is passed over, with a line "
          "(2.3)") {
    Rig rig;
    rig.running("n", 1);
    auto const end = head(rig);
    auto const good = snapshot_at(rig, {end.value - 1});
    auto const with = [&](auto change) {
        auto snapshot = snapshot_at(rig, end);
        change(snapshot);
        rig.snapshots().remove_all();
        REQUIRE(rig.snapshots().write(good));
        REQUIRE(rig.snapshots().write(snapshot));
        start_again(rig);
        CHECK(pack(rig.heard().fold()) == folded(rig));
        return rig.heard().restored();
    };
    CHECK(with([](Snapshot&) {}) == end);
    CHECK(is_told(rig, "begins with the snapshot at event " + std::to_string(end.value)));

    auto const passed_over = [&](auto change, std::string const& why) {
        CHECK(with(change) == good.head.sequence);
        CHECK_MESSAGE(is_told(rig, why + "; it is passed over"), why);
    };
    passed_over([](Snapshot& one) { one.fold[0] ^= 1; }, "was made by another version of CPM");
    passed_over([](Snapshot& one) { one.head.hash[0] ^= 1; }, "another hash there");
    passed_over([](Snapshot& one) { one.head.epoch = 2; }, "is of epoch 2, and the log of epoch 1");
    passed_over([](Snapshot& one) { one.content.pop_back(); }, "does not hold what it says");
    passed_over([](Snapshot& one) { one.content = pack(LogFold{}); }, "does not hold what it says");
    passed_over(
        [](Snapshot& one) { one.head.sequence.value += 100; }, "lies behind the end of the log"
    );
}

TEST_CASE("snapshot: with none that counts a start reads the whole log (2.3)") {
    Rig rig;
    rig.running("n", 1);
    auto snapshot = snapshot_at(rig, head(rig));
    snapshot.head.hash[0] ^= 1;
    REQUIRE(rig.snapshots().write(snapshot));
    auto const before = head(rig).value;
    start_again(rig);
    CHECK_FALSE(rig.heard().restored());
    CHECK(rig.heard().history() == before);
    CHECK(pack(rig.heard().fold()) == folded(rig));
}

TEST_CASE("snapshot: one of a log that lost its end and grew on is passed over (2.2, 2.3)") {
    Rig other;
    Rig rig;
    other.running("other", 1);
    rig.running("n", 1);
    REQUIRE(rig.snapshots().write(snapshot_at(other, head(other))));
    REQUIRE(head(rig) >= head(other));
    start_again(rig);
    CHECK_FALSE(rig.heard().restored());
    CHECK(is_told(rig, "is of another log"));
}

#ifdef CPM_FAULT_POINTS

TEST_CASE("snapshot: one that holds a request of doubt is passed over, and it is withdrawn (2.2)") {
    Rig rig(Disk::RocksDb);
    auto const id = rig.running("n", 1);
    auto const before = snapshot_at(rig, head(rig));
    {
        eventstore::arm_fault("append-fails:1");
        manager::RequestPower command;
        command.actor = kAlice;
        command.server = id;
        command.target = PowerStatus::Off;
        auto const outcome = rig.ask(std::move(command));
        eventstore::arm_fault(nullptr);
        REQUIRE_FALSE(outcome);
    }
    rig.kill();
    rig.open();
    REQUIRE(rig.log().unconfirmed_from() == before.head.sequence.next());
    auto const doubtful = snapshot_at(rig, before.head.sequence.next());
    REQUIRE(rig.snapshots().write(before));
    REQUIRE(rig.snapshots().write(doubtful));
    rig.happened();
    REQUIRE(rig.start());
    CHECK(is_told(rig, "holds events that were never confirmed"));
    CHECK(rig.heard().restored() == before.head.sequence);
    CHECK(rig.all("PowerWithdrawn").size() == 1);
    CHECK(rig.actual(id) == "ON");
    CHECK(rig.says_on(id).manifest.power_status == PowerStatus::On);
    CHECK(pack(rig.heard().fold()) == folded(rig));
}

#endif

// --- the keeper

TEST_CASE("keeper: makes a snapshot when enough was appended, and not more often (2.3)") {
    Kept kept;
    manager::SnapshotKeeper keeper(kept.parts());
    keeper.turn();
    CHECK(kept.list().empty());
    kept.grow(50);
    keeper.turn();
    auto const first = head(kept.rig);
    CHECK(kept.list() == std::vector{first});
    kept.grow(49);
    kept.rig.clock.advance(1h);
    keeper.turn();
    CHECK(kept.list() == std::vector{first});
    kept.grow(1);
    keeper.turn();
    auto const second = head(kept.rig);
    CHECK(kept.list() == std::vector{second, first});
    kept.grow(50); // within ten minutes of the one before
    keeper.turn();
    CHECK(kept.list() == std::vector{second, first});
    kept.rig.clock.advance(10min);
    keeper.turn();
    CHECK(kept.list() == std::vector{head(kept.rig), second});
    CHECK(kept.lines.empty());

    start_again(kept.rig);
    CHECK(kept.rig.heard().history() == 0);
    CHECK(pack(kept.rig.heard().fold()) == folded(kept.rig));
}

TEST_CASE("keeper: goes on from the snapshot of a life before, once it is proved (2.3)") {
    Kept kept;
    kept.grow(50);
    manager::SnapshotKeeper(kept.parts()).turn();
    auto const first = head(kept.rig);
    REQUIRE(kept.list() == std::vector{first});
    manager::SnapshotKeeper again(kept.parts());
    again.turn();
    CHECK(kept.list() == std::vector{first});
    kept.grow(50);
    again.turn();
    CHECK(kept.list() == std::vector{head(kept.rig), first});
    CHECK(kept.failures.empty());
    CHECK(kept.lines.empty());
}

TEST_CASE("keeper: what was passed over is removed (2.3)") {
    Kept kept;
    kept.grow(1);
    auto const good = snapshot_at(kept.rig, {head(kept.rig).value - 2});
    auto damaged = snapshot_at(kept.rig, head(kept.rig));
    damaged.content.pop_back();
    REQUIRE(kept.rig.snapshots().write(good));
    REQUIRE(kept.rig.snapshots().write(damaged));
    manager::SnapshotKeeper(kept.parts()).turn();
    CHECK(kept.list() == std::vector{good.head.sequence});
    CHECK(kept.lines.empty());
}

TEST_CASE("keeper: a snapshot that does not follow from the events ends the process (2.3)") {
    Kept kept;
    kept.rig.set("missed_heartbeats", "4");
    kept.grow(1);
    // Whoever wrote it skipped the setting.
    auto fold = projections::unpack(snapshot_at(kept.rig, {head(kept.rig).value - 2}).content);
    REQUIRE(fold);
    (void)fold->apply(kept.rig.heard().events().back());
    auto snapshot = snapshot_at(kept.rig, head(kept.rig));
    snapshot.content = pack(*fold);
    REQUIRE(kept.rig.snapshots().write(snapshot));
    start_again(kept.rig);
    REQUIRE(kept.rig.heard().restored());

    manager::SnapshotKeeper(kept.parts()).turn();
    REQUIRE(kept.failures.size() == 1);
    CHECK(kept.failures[0].detail.find("does not follow from the events") != std::string::npos);
    CHECK(kept.list().empty());
    start_again(kept.rig);
    CHECK_FALSE(kept.rig.heard().restored());
    CHECK(pack(kept.rig.heard().fold()) == folded(kept.rig));
}

TEST_CASE("keeper: damage before the snapshot ends the process (2.3)") {
    Kept kept;
    kept.grow(50);
    manager::SnapshotKeeper(kept.parts()).turn();
    REQUIRE(kept.list().size() == 1);
    kept.rig.log().damaged = core::Sequence{7};
    manager::SnapshotKeeper keeper(kept.parts());
    keeper.turn();
    REQUIRE(kept.failures.size() == 1);
    CHECK(kept.failures[0].code == core::ErrorCode::Corrupt);
    CHECK(kept.failures[0].detail.starts_with("event 7"));
    kept.grow(50);
    kept.rig.clock.advance(10min);
    keeper.turn();
    CHECK(kept.failures.size() == 1);
}

TEST_CASE("keeper: damage behind the last snapshot ends the process, and is in no snapshot (2.3)") {
    Kept kept;
    kept.grow(50);
    kept.rig.log().damaged = core::Sequence{7};
    manager::SnapshotKeeper(kept.parts()).turn();
    REQUIRE(kept.failures.size() == 1);
    CHECK(kept.failures[0].code == core::ErrorCode::Corrupt);
    CHECK(kept.failures[0].detail.starts_with("event 7"));
    CHECK(kept.list().empty());
}

TEST_CASE("keeper: a snapshot does not take the reserve of the disk (2.2, 2.3)") {
    Kept kept;
    kept.grow(50);
    kept.rig.log().total = 1'000'000'000;
    kept.rig.log().free = 1'000'100;
    manager::SnapshotKeeper keeper(kept.parts());
    keeper.turn();
    CHECK(kept.list().empty());
    kept.rig.log().free = 10'000'000;
    kept.rig.clock.advance(10min);
    keeper.turn();
    CHECK(kept.list().size() == 1);
}

TEST_CASE("keeper: on its own thread, behind a log that grows (2.3)") {
    Rig rig(Disk::RocksDb);
    auto const id = rig.running("n", 1);
    Kept kept; // for its sinks
    auto parts = kept.parts();
    manager::SnapshotKeeper keeper({
        .log = rig.log(),
        .store = rig.snapshots(),
        .clock = rig.clock,
        .report = parts.report,
        .on_failure = parts.on_failure,
        .space_reserve = 0,
        .every = 10,
    });
    for (int i = 0; i < 10; ++i)
        rig.says_on(id);
    keeper.run();
    while (rig.snapshots().list().empty())
        rig.says_on(id);
    keeper.stop();
    CHECK(kept.lines.empty());
    CHECK(kept.failures.empty());
    start_again(rig);
    CHECK(rig.heard().restored());
    CHECK(pack(rig.heard().fold()) == folded(rig));
}
