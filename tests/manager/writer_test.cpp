// The writer's thread: many wait, one writes (event log 2.2).
#include "manager/writer.hpp"
#include "tests/manager/rig.hpp"
#include "tests/support/wait_until.hpp"

#include <future>
#include <set>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using manager::FailSignIn;
using manager::Recorded;
using manager::Writer;
using test_support::wait_until;

namespace {

/// Holds the first append that comes until it is opened.
class Gate {
  public:
    void pass() {
        arrived_.set_value();
        opened_.get_future().wait();
    }
    void wait_for_arrival() { arrived_.get_future().wait(); }
    void open() { opened_.set_value(); }

  private:
    std::promise<void> arrived_;
    std::promise<void> opened_;
};

/// What many jobs were told, from whichever thread.
class Answers {
  public:
    auto tell() {
        auto const job = jobs_++;
        return [this, job](core::Result<Recorded>&& outcome) {
            std::lock_guard const lock(mutex_);
            CHECK_MESSAGE(told_.insert(job).second, "told twice");
            if (outcome)
                CHECK_MESSAGE(sequences_.insert(outcome->sequence).second, "same event");
            else
                ++refused_[outcome.error().code];
        };
    }
    std::size_t accepted() const {
        std::lock_guard const lock(mutex_);
        return sequences_.size();
    }
    std::size_t refused(ErrorCode code) const {
        std::lock_guard const lock(mutex_);
        auto const found = refused_.find(code);
        return found == refused_.end() ? 0 : found->second;
    }
    std::size_t told() const {
        std::lock_guard const lock(mutex_);
        return told_.size();
    }

  private:
    std::atomic<int> jobs_ = 0;
    mutable std::mutex mutex_;
    std::set<int> told_;
    std::set<core::Sequence> sequences_;
    std::map<ErrorCode, std::size_t> refused_;
};

/// A rig whose engine a Writer runs.
struct Running : Rig {
    explicit Running(Disk disk = Disk::Memory)
        : Rig(disk) {}

    Writer writer{engine(), clock, [this](core::Error const& error) {
                      ++failures;
                      failure = error.code;
                  }};
    std::atomic<int> failures = 0;
    std::atomic<ErrorCode> failure{};

    /// One job through the thread; its outcome.
    core::Result<Recorded> submit() {
        std::promise<core::Result<Recorded>> told;
        auto future = told.get_future();
        writer.submit(FailSignIn{"", ""}, [&told](auto&& outcome) {
            told.set_value(std::move(outcome));
        });
        return future.get();
    }
    std::size_t appends() const {
        std::size_t count = 0;
        for (auto const& line : journal.lines())
            count += line.starts_with("durable");
        return count;
    }
};

} // namespace

TEST_CASE("writer: whatever waits while one batch is written shares the next (2.2)") {
    Running rig;
    Gate gate;
    std::atomic<bool> is_first = true;
    rig.log().during_append = [&] {
        if (is_first.exchange(false))
            gate.pass();
    };
    Answers answers;
    rig.writer.run();
    rig.writer.submit(FailSignIn{"", ""}, answers.tell());
    gate.wait_for_arrival();
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 50; ++n)
                rig.writer.submit(FailSignIn{"", ""}, answers.tell());
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(answers.told() == 0);
    gate.open();
    CHECK(wait_until([&] { return answers.told() == 401; }));
    CHECK(rig.appends() == 2);
    CHECK(rig.writer.stop());
    CHECK(answers.accepted() == 401);
    CHECK(rig.all("SignInFailed").size() == 401);
}

TEST_CASE("writer: under many threads each job is told once, also by a stop in the middle (2.2)") {
    for (auto disk : {Disk::Memory, Disk::RocksDb}) {
        Running rig(disk);
        Answers answers;
        rig.writer.run();
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 500; ++n)
                    rig.writer.submit(FailSignIn{"", ""}, answers.tell());
            });
        CHECK(wait_until([&] { return answers.accepted() > 100; }));
        CHECK(rig.writer.stop());
        for (auto& thread : threads)
            thread.join();
        CHECK(answers.told() == 2000);
        CHECK(answers.accepted() + answers.refused(ErrorCode::Starting) == 2000);
        CHECK(rig.all("SignInFailed").size() == answers.accepted());
        CHECK(rig.all("ManagerStopped").size() == 1);
        CHECK(rig.failures == 0);
        CHECK(rig.submit().error().code == ErrorCode::Starting);
        CHECK(rig.writer.stop()); // once more is no fault
    }
}

TEST_CASE("writer: a stop decides what waits before it says that it stopped (2.2)") {
    Running rig;
    Gate gate;
    std::atomic<bool> is_first = true;
    rig.log().during_append = [&] {
        if (is_first.exchange(false))
            gate.pass();
    };
    Answers answers;
    rig.writer.run();
    for (int i = 0; i < 3; ++i) {
        rig.writer.submit(FailSignIn{"", ""}, answers.tell());
        if (i == 0)
            gate.wait_for_arrival();
    }
    core::Result<void> stopped = core::fail(ErrorCode::Storage, "not stopped yet");
    std::thread stopping([&] { stopped = rig.writer.stop(); });
    gate.open();
    stopping.join();
    CHECK(stopped);
    CHECK(answers.accepted() == 3);
    CHECK(
        rig.happened() == Names{"SignInFailed", "SignInFailed", "SignInFailed", "ManagerStopped"}
    );
}

TEST_CASE("writer: what waits when it never ran is told that it stopped") {
    Answers answers;
    {
        Running rig;
        rig.writer.submit(FailSignIn{"", ""}, answers.tell());
        CHECK(rig.writer.stop());
        CHECK(answers.refused(ErrorCode::Starting) == 1);
        CHECK(rig.all("ManagerStopped").empty());
    }
    CHECK(answers.told() == 1);
}

TEST_CASE("writer: a full queue refuses at once, on the caller's thread") {
    Running rig;
    Answers answers;
    for (std::size_t i = 0; i < Writer::kMaxQueued; ++i)
        rig.writer.submit(FailSignIn{"", ""}, answers.tell());
    CHECK(answers.told() == 0);
    auto const refused = rig.submit();
    CHECK(refused.error().code == ErrorCode::Starting);
    rig.writer.run();
    CHECK(wait_until([&] { return answers.accepted() == Writer::kMaxQueued; }));
    CHECK(rig.submit());
}

TEST_CASE("writer: a failed append is reported once, and everyone who waits is told (2.2)") {
    Running rig;
    Gate gate;
    rig.log().append_fails = true;
    rig.log().during_append = [&] { gate.pass(); };
    Answers answers;
    rig.writer.run();
    rig.writer.submit(FailSignIn{"", ""}, answers.tell());
    gate.wait_for_arrival();
    for (int i = 0; i < 5; ++i)
        rig.writer.submit(FailSignIn{"", ""}, answers.tell());
    gate.open();
    CHECK(wait_until([&] { return answers.told() == 6; }));
    auto const stopped = rig.writer.stop();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == ErrorCode::Storage);
    CHECK(rig.failures == 1);
    CHECK(rig.failure == ErrorCode::Storage);
    CHECK(answers.refused(ErrorCode::Storage) == 1);
    CHECK(answers.refused(ErrorCode::Starting) == 5);
    CHECK(rig.writer.readiness() == manager::Readiness::Fenced);
    CHECK(rig.submit().error().code == ErrorCode::Starting);
    CHECK(rig.failures == 1);
}

TEST_CASE(
    "writer: a change that waited behind a disk that hung, or over a suspend, is not made (1.4)"
) {
    bool is_suspended = false;
    SUBCASE("a disk that hung") {}
    SUBCASE("a suspend") {
        is_suspended = true;
    }
    Running running;
    std::promise<core::Result<manager::AddServer::Outcome>> told;
    running.log().during_append = [&, is_first = true]() mutable {
        if (!std::exchange(is_first, false))
            return;
        core::ServerConfig config;
        config.name = "n";
        running.writer.submit(manager::AddServer{kAlice, config, {}}, [&told](auto&& outcome) {
            told.set_value(std::move(outcome));
        });
        if (is_suspended)
            running.clock.suspend(8h);
        else
            running.clock.advance(21s);
    };
    running.writer.run();
    CHECK(running.submit());
    auto const outcome = told.get_future().get();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::Starting);
    CHECK(running.all("ServerAdded").empty());
    CHECK(running.writer.stop());
}

TEST_CASE("writer: who is told may submit again, also when it is told of the end") {
    Running rig;
    Gate gate;
    rig.log().append_fails = true;
    rig.log().during_append = [&] { gate.pass(); };
    Answers answers;
    rig.writer.run();
    auto const again = [&](auto&&) { rig.writer.submit(FailSignIn{"", ""}, answers.tell()); };
    rig.writer.submit(FailSignIn{"", ""}, again);
    gate.wait_for_arrival();
    rig.writer.submit(FailSignIn{"", ""}, again);
    gate.open();
    CHECK(wait_until([&] { return answers.told() == 2; }));
    CHECK_FALSE(rig.writer.stop());
}

TEST_CASE("writer: the failure of the last append, too, is what stop returns (2.2)") {
    Running rig;
    rig.writer.run();
    REQUIRE(rig.submit());
    rig.log().during_append = {};
    rig.log().append_fails = true;
    auto const stopped = rig.writer.stop();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == ErrorCode::Storage);
}

TEST_CASE("writer: a turn that came late did not listen, and nobody is lost for it (1.5)") {
    Running rig;
    auto const id = rig.running("n", 1);
    rig.writer.run();
    REQUIRE(rig.submit());
    rig.clock.advance(40s); // SIGSTOP; then the loop says that it listens before the writer turns
    rig.writer.note_listening();
    REQUIRE(rig.submit());
    REQUIRE(rig.submit());
    REQUIRE(rig.writer.stop());
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("writer: silence counts while both threads turn, not while the loop hangs (1.5)") {
    for (bool hangs : {true, false}) {
        Running rig;
        auto const id = rig.running("n", 1);
        rig.writer.run();
        for (int i = 0; i < 130; ++i) {
            rig.clock.advance(250ms);
            if (!hangs)
                rig.writer.note_listening();
            REQUIRE(rig.submit());
        }
        REQUIRE(rig.writer.stop());
        CHECK(rig.actual(id) == (hangs ? "ON" : "Crashed"));
    }
}

TEST_CASE("writer: held up for a moment, it first hears what came meanwhile (1.5)") {
    struct Late {
        std::chrono::milliseconds turn;
        bool loop_turned;
    };
    auto const status_after = [](std::initializer_list<Late> turns) {
        Running rig;
        auto const id = rig.running("n", 1);
        rig.writer.run();
        auto const turn = [&](Late const& late) {
            rig.clock.advance(late.turn);
            if (late.loop_turned)
                rig.writer.note_listening();
            REQUIRE(rig.submit());
        };
        REQUIRE(rig.submit()); // before its first turn nobody listened
        for (int i = 0; i < 119; ++i)
            turn({250ms, true});
        std::ranges::for_each(turns, turn); // silence is due after 250 ms
        REQUIRE(rig.writer.stop());
        return rig.actual(id);
    };
    CHECK(status_after({{250ms, true}}) == "Crashed");
    CHECK(status_after({{1900ms, true}}) == "ON");
    CHECK(status_after({{1900ms, true}, {240ms, true}}) == "ON");
    CHECK(status_after({{1900ms, true}, {250ms, true}}) == "Crashed");
    CHECK(status_after({{250ms, false}, {250ms, false}, {250ms, false}}) == "Crashed");
    // A loop that hangs puts it off until it turns again.
    CHECK(status_after({{600ms, false}, {200ms, false}, {200ms, false}}) == "ON");
    CHECK(
        status_after({{600ms, false}, {200ms, false}, {250ms, true}, {250ms, true}}) == "Crashed"
    );
}

TEST_CASE("writer: silence does not count from before its first turn (1.5)") {
    Running rig;
    auto const id = rig.running("n", 1);
    rig.clock.advance(40s); // between the engine's start and the thread's
    rig.writer.run();
    REQUIRE(rig.submit());
    REQUIRE(rig.writer.stop());
    CHECK(rig.actual(id) == "ON");
}

TEST_CASE("writer: whoever is answered finds the readiness that the answer brought (3.6)") {
    Running rig;
    rig.writer.run();
    std::promise<manager::Readiness> found;
    auto future = found.get_future();
    rig.writer.submit(manager::NoteRollback{1, "it ends too early"}, [&](auto&& /*outcome*/) {
        found.set_value(rig.writer.readiness());
    });
    CHECK(future.get() == manager::Readiness::RolledBack);
}

TEST_CASE("writer: says when it last turned, and how the engine is") {
    Running rig;
    rig.writer.run();
    CHECK(rig.writer.readiness() == manager::Readiness::Ok);
    rig.clock.advance(1s);
    REQUIRE(rig.submit());
    CHECK(rig.writer.last_turn() == rig.clock.now().mono);
}

TEST_CASE("writer: what watches over it hears of its turns, but not while the loop hangs (3.6)") {
    Rig rig;
    std::atomic<int> heard = 0;
    Writer writer(
        rig.engine(), rig.clock, [](core::Error const&) {}, [&] { ++heard; }
    );
    auto const turn = [&] {
        std::promise<void> told;
        writer.submit(FailSignIn{"", ""}, [&](core::Result<Recorded>&&) { told.set_value(); });
        told.get_future().wait();
    };
    writer.run();
    REQUIRE(wait_until([&] { return heard > 0; }));
    rig.clock.advance(3s);
    turn();
    turn(); // the turn before it has ended
    int const before = heard;
    for (int i = 0; i < 5; ++i)
        turn();
    CHECK(heard == before);
    writer.note_listening();
    CHECK(wait_until([&] { return heard > before; }));
    REQUIRE(writer.stop());
}

TEST_CASE("writer: a job wakes it, and need not wait for its tick") {
    Running rig;
    rig.writer.run();
    manager::SystemClock real;
    auto const began = real.now().mono;
    for (int i = 0; i < 20; ++i)
        REQUIRE(rig.submit());
    CHECK(real.now().mono - began < 20 * manager::kTick / 2);
}

TEST_CASE("writer: it turns without any work, on time for a deadline (1.5)") {
    manager::SystemClock clock;
    Journal journal;
    FakeClock unused;
    SeededRandom random(1);
    RecordingWakeSender sender(journal, unused);
    RecordingSubscriber subscriber(journal);
    Rig on;
    manager::Engine engine({
        .log = on.log(),
        .sender = sender,
        .clock = clock,
        .random = random,
        .subscriber = subscriber,
        .own_macs = [] { return std::vector<core::MacAddress>{}; },
        .version = "test",
        .space_reserve = {},
    });
    core::ServerConfig config;
    config.name = "n";
    config.mac_addresses = {mac(1)};
    config.standby_time = 1s;
    auto const id = on.add(config);
    REQUIRE(engine.start());
    std::atomic<bool> failed = false;
    Writer writer(engine, clock, [&](auto const&) { failed = true; });
    writer.run();
    manager::RequestPower request;
    request.actor = kAlice;
    request.server = id;
    request.target = core::PowerStatus::On;
    std::promise<bool> accepted;
    writer.submit(request, [&](auto&& outcome) {
        accepted.set_value(outcome && outcome->accepted);
    });
    REQUIRE(accepted.get_future().get());
    auto const asked = clock.now().wall;
    CHECK(wait_until([&] { return journal.lines().size() > 4; }));
    REQUIRE(wait_until([&] {
        writer.note_listening();
        return clock.now().wall > asked + 1200ms;
    }));
    REQUIRE(writer.stop());
    auto const state = subscriber.fleet().find(id)->state;
    CHECK(state.actual == core::ActualStatus::StartupDelayed);
    for (auto const& event : subscriber.events())
        if (std::holds_alternative<core::StandbyElapsed>(event.payload)) {
            CHECK(event.at >= asked + 990ms);
            CHECK(event.at <= asked + 1100ms);
        }
    CHECK_FALSE(failed);
}
