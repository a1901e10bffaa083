// A log whose routine heartbeats were compacted away says what the whole one says (event log 2.3).
#include "core/evolve.hpp"
#include "projections/decisions.hpp"
#include "projections/transitions.hpp"
#include "tests/manager/rig.hpp"

#include <map>
#include <random>
#include <set>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

using Events = std::vector<core::Event>;

Events events_of(eventstore::EventReader const& log, core::Sequence last) {
    Events events;
    auto const read = log.read({1}, last, [&](auto const& stored) {
        events.push_back(stored.event);
        return true;
    });
    REQUIRE_MESSAGE(read, (read ? "" : read.error().detail));
    return events;
}

struct Folded {
    core::Fleet fleet;
    std::vector<projections::Transition> transitions;
    std::set<core::Sequence> routine; ///< heartbeats that left the state of their server as it was
};

Folded fold(Events const& events) {
    Folded folded;
    projections::TransitionFolder folder;
    projections::DecisionReader decisions([&](std::span<core::Event const> decision) {
        for (auto const& event : decision) {
            core::evolve(folded.fleet, event);
            auto const* server = folded.fleet.find(event.server);
            if (server && server->changed != event.sequence)
                folded.routine.insert(event.sequence);
        }
        if (auto transition = folder.apply_decision(decision, folded.fleet))
            folded.transitions.push_back(std::move(*transition));
    });
    for (auto const& event : events)
        decisions.add(event);
    decisions.flush();
    return folded;
}

/// Days of a small fleet, and then as many that nobody looks at.
class Life {
  public:
    Life(std::uint64_t seed, Disk disk)
        : rig(disk)
        , random_(seed) {
        for (std::uint8_t i = 1; i <= 3; ++i)
            servers_.push_back(rig.running("n" + std::to_string(i), i));
    }

    void go_on(int steps) {
        for (int i = 0; i < steps; ++i)
            step();
    }

    /// The manager turns, and may be killed now and then, until there is nothing left to compact.
    void compact(bool killed = true) {
        for (std::size_t before = 0, records = 1; before != records;) {
            before = records;
            if (killed && below(4) == 0)
                rig.restart();
            for (int i = 0; i < 12; ++i)
                rig.pass(1s);
            records = events_of(rig.log(), rig.log().head().sequence).size();
        }
    }

    unsigned below(unsigned limit) { return unsigned(random_() % limit); }

    Rig rig;

  private:
    void step() {
        auto const action = below(200);
        auto const id = servers_[below(3)];
        if (action < 3) {
            manager::RequestPower command;
            command.actor = kAlice;
            command.server = id;
            command.target = below(2) ? PowerStatus::On : PowerStatus::Off;
            (void)rig.ask(std::move(command));
        } else if (action == 3)
            rig.pass(40s);
        else if (action == 4)
            rig.restart(std::chrono::seconds(below(90)));
        else if (action == 5)
            boot_ = std::uint8_t(1 + below(4));
        else if (action == 6)
            rig.set("release_standby_when_settled", below(2) ? "true" : "false");
        else if (action < 10)
            rig.says_stopping(id, boot_);
        else
            beat();
    }

    /// All report, in a round each.
    void beat() {
        rig.pass(5s);
        for (auto const id : servers_) {
            auto said = report(HeartbeatStatus::On, boot_);
            if (numbered_)
                said.report = ++number_;
            if (below(300) == 0)
                said.address = "10.0.0." + std::to_string(below(9));
            else
                said.address = rig.server(id).agent.address;
            said.agent_version = rig.server(id).agent.version;
            rig.says(id, said);
        }
    }

    std::mt19937_64 random_;
    std::vector<core::ServerId> servers_;
    std::uint8_t boot_ = 1;
    std::uint64_t number_ = 0;
    bool const numbered_ = true;
};

/// What was deleted was routine and lies in a range; what is left says the same.
void check_same(Events const& whole, eventstore::EventReader const& log) {
    auto const last = whole.back().sequence;
    auto const rest = events_of(log, last);
    auto const before = fold(whole);
    auto const after = fold(rest);
    CHECK(before.fleet == after.fleet);
    CHECK(before.transitions == after.transitions);

    std::set<core::Sequence> kept;
    for (auto const& event : rest)
        kept.insert(event.sequence);
    std::set<core::Sequence> named;
    auto const read = log.read(last.next(), log.head().sequence, [&](auto const& stored) {
        if (auto const* range = std::get_if<core::HeartbeatsCompacted>(&stored.event.payload))
            for (auto at = range->first; at <= range->last; at = at.next())
                CHECK(named.insert(at).second);
        return true;
    });
    REQUIRE(read);
    std::size_t wrong = 0;
    for (auto const& event : whole) {
        bool const is_there = kept.contains(event.sequence);
        bool const may_go = before.routine.contains(event.sequence);
        wrong += is_there == named.contains(event.sequence) || (!is_there && !may_go) ? 1 : 0;
    }
    CHECK(wrong == 0);
    MESSAGE(whole.size() << " events, " << named.size() << " compacted away");
}

} // namespace

TEST_CASE("compaction: the compacted log gives the statuses and transitions of the whole (2.3)") {
    auto const seed = std::random_device{}();
    MESSAGE("seed " << seed);
    for (auto const disk : {Disk::Memory, Disk::RocksDb}) {
        Life life(seed, disk);
        life.go_on(700);
        life.rig.pass(20 * 24h);
        auto const whole = events_of(life.rig.log(), life.rig.log().head().sequence);
        life.compact();
        check_same(whole, life.rig.log());
        CHECK(life.rig.log().compacted_until().value() > core::Sequence{0});
        // It goes on: a second life behind the first, and all of it once more.
        life.go_on(100);
        CHECK(life.rig.replayed() == life.rig.heard().fleet());
        life.rig.restart();
        CHECK(life.rig.replayed() == life.rig.heard().fleet());
    }
}

TEST_CASE("compaction: nothing goes before its time, whatever else there is to do (2.3)") {
    Life life(1, Disk::Memory);
    life.go_on(200);
    life.rig.pass(13 * 24h);
    auto const whole = events_of(life.rig.log(), life.rig.log().head().sequence);
    life.compact();
    CHECK(life.rig.log().compacted_until() == core::Sequence{0});
    life.rig.set("heartbeat_retention_days", "12");
    life.compact();
    CHECK(life.rig.log().compacted_until().value() > core::Sequence{0});
    check_same(whole, life.rig.log());
}

TEST_CASE("compaction: by size, whichever is first (2.3)") {
    Life life(2, Disk::Memory);
    life.go_on(3000);
    auto const bytes = life.rig.log().bytes_from({1});
    REQUIRE(bytes > 1'200'000);
    auto const whole = events_of(life.rig.log(), life.rig.log().head().sequence);
    life.rig.set("heartbeat_retention_bytes", "1048576");
    life.compact();
    auto const until = life.rig.log().compacted_until().value();
    CHECK(until > core::Sequence{0});
    CHECK(life.rig.log().bytes_from(until) > 1'000'000);
    check_same(whole, life.rig.log());
}

TEST_CASE("compaction: of a log that was rolled back, and on a full disk, nothing goes (2.3)") {
    Life life(3, Disk::Memory);
    life.go_on(300);
    life.rig.pass(20 * 24h);
    auto const until = [&] { return life.rig.log().compacted_until().value(); };
    REQUIRE(life.rig.ask(manager::NoteRollback{1, "an agent knows more"}));
    life.compact();
    CHECK(until() == core::Sequence{0});
    REQUIRE(life.rig.ask(manager::AcceptRollback{kAlice}));
    life.rig.log().free = 1 << 20;
    life.rig.log().total = 1ULL << 40;
    life.compact(false);
    CHECK(until() == core::Sequence{0});
    life.rig.log().free = 1ULL << 39;
    life.compact(false);
    CHECK(until() > core::Sequence{0});
}

TEST_CASE("compaction: a piece a turn, and a pause between them (2.3)") {
    Life life(4, Disk::Memory);
    life.go_on(1000);
    life.rig.pass(20 * 24h);
    auto const compacted = [&] { return life.rig.log().compacted_until().value(); };
    auto const before = compacted();
    for (int i = 0; i < 50; ++i) // no time passes
        REQUIRE(life.rig.round());
    CHECK(compacted() <= core::Sequence{before.value + 2 * manager::Compaction::kAtOnce});
}
