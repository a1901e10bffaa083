#pragma once

#include "core/evolve.hpp"
#include "manager/engine.hpp"
#include "manager/listening.hpp"
#include "manager/snapshot_keeper.hpp"
#include "tests/sim/calls.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/journal.hpp"
#include "tests/sim/log.hpp"
#include "tests/sim/snapshot_files.hpp"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace cpm::sim {

/// The clocks of the manager's machine. `ahead`: so far has the process come with the step under
/// way, while the world waits (a sync takes time).
class HostClock final : public manager::Clock {
  public:
    explicit HostClock(Schedule const& schedule)
        : schedule_(schedule) {}
    core::Now now() const override {
        auto const since = schedule_.now() + ahead;
        return {
            core::MonoTime{since + mono_base},
            core::WallTime{std::chrono::duration_cast<std::chrono::microseconds>(since) + wall},
        };
    }

    std::chrono::nanoseconds suspended() const override { return {}; }

    Time ahead{};
    Time mono_base = std::chrono::hours(1); ///< the machine was up so long when the world began
    std::chrono::microseconds wall{1'795'251'600'000'000}; ///< 2026-11-21T09:00:00Z

  private:
    Schedule const& schedule_;
};

/// What one life of the manager's process is started with. All must outlive it.
struct ServiceParts {
    Schedule& schedule;
    Disk& disk;
    Log::Surroundings const& disk_around;
    HostClock& clock;
    manager::Random& random;
    wol::WakeSender& sender;
    manager::Keys const& keys;
    Dice& dice;
};

/// Hears of everything that the process decides, answers and publishes.
class ServiceWatch {
  public:
    virtual ~ServiceWatch() = default;
    /// From now on it serves; the batch of its start was published. Its deadlines run since
    /// `armed`.
    virtual void serves(Time armed) = 0;
    /// Durable since `durable`, and seen by people from now on.
    virtual void published(manager::Publication const& publication, Time durable) = 0;
    /// A heartbeat is answered 200, or a held call with an order.
    virtual void answered(Request const& request, manager::ManifestOutcome const& outcome) = 0;
    /// A round begins. It could have begun at `free_since`, had there been anything to do; if it
    /// was not listening, silence before now does not count.
    virtual void turns(Time free_since, bool listening) = 0;
    virtual void turned(manager::Engine const& engine, std::size_t held, std::size_t queued) = 0;
    /// A line for the operator's log.
    virtual void reports(std::string_view line) = 0;
    /// The round failed: the process ends.
    virtual void gave_up(core::Error const& error) = 0;
};

/// One life of the manager's process: the engine, and what its two threads do around it (the loop
/// of manager/writer.cpp, the handlers of http/handlers_agent.cpp, the held calls of
/// http/manifest_waiters.cpp), said again in virtual time.
///
/// Operation: a round begins when something was submitted or is due, and its outcome is seen when
/// its sync is over; meanwhile the rest of the world goes on. Idle turns are left out.
class Service final : public manager::Subscriber {
  public:
    Service(ServiceParts parts, ServiceWatch& watch);

    /// Opens the log and starts the engine. Serving begins when its writes are done.
    core::Result<void> start(bool accept_truncated);
    bool is_serving() const { return serving_; }
    /// A write, or the start, is under way until then.
    Time busy_until() const { return busy_until_; }

    void receive(std::shared_ptr<Request const> const& request, ReplyTo reply);
    template <class Command, class Tell>
    void submit(Command command, Tell tell) {
        enqueue(std::make_unique<manager::CommandJob<Command, Tell>>(
            std::move(command), std::move(tell)
        ));
    }
    /// Within an answer: runs once the answer's batch is seen.
    void then(std::function<void()> answer);

    /// The process stands still until then.
    void pause(Time until);
    bool is_paused() const;

    manager::Engine const& engine() const { return *engine_; }
    core::Fleet const& fleet() const { return fleet_; } ///< as people see it
    eventstore::Head const& head() const { return head_; }
    std::size_t held() const { return held_.size(); }
    /// Whether this is the hash of the token that the server's agent was given last.
    bool knows(core::ServerId server, core::Hash const& credential) const;

    void on_restored(projections::LogFold&& fold) override { fleet_ = fold.fleet(); }
    void on_history(core::Event const& event) override { core::evolve(fleet_, event); }
    void on_record(eventstore::RecordChange const& record) override;
    void on_published(std::shared_ptr<manager::Publication const> publication) override;

  private:
    struct Held {
        std::uint64_t number = 0;
        std::shared_ptr<Request const> request;
        core::Asker asker;
        std::string known;
        ReplyTo reply;
    };
    struct Batch {
        std::shared_ptr<manager::Publication const> publication;
        Time durable{};
    };
    using Published = std::vector<Batch>;
    using Answers = std::vector<std::pair<Time, std::function<void()>>>; ///< and from when on

    void enqueue(std::unique_ptr<manager::Job> job);
    /// Happens in this life, once it does not stand still.
    void later(Time at, std::function<void()> what);
    void plan(Time at);
    void turn();
    void flush();
    void show(Published const& published);
    void answer(Answers const& answers);
    bool was_listening();
    void begin_snapshots();
    void keep_snapshots(bool proves);
    void heartbeat(std::shared_ptr<Request const> const& request, ReplyTo const& reply);
    void count(core::Report&& report, std::shared_ptr<Request const> const& request, ReplyTo reply);
    void hold(std::shared_ptr<Request const> const& request, ReplyTo reply);
    void expire(std::uint64_t number);
    /// Whether the call is over.
    bool look(Held const& held);
    void ask(Held const& held);
    void end(core::ServerId server);
    void touch(manager::Publication const& publication);
    manager::ManifestOutcome seen(core::Server const& server, core::Asker const& asker) const;

    ServiceParts parts_;
    ServiceWatch& watch_;
    std::unique_ptr<Log> log_;
    eventstore::SnapshotStore const snapshots_;
    std::unique_ptr<manager::Engine> engine_;
    std::unique_ptr<manager::SnapshotKeeper> keeper_;
    std::shared_ptr<bool> lives_ = std::make_shared<bool>(true);
    bool serving_ = false;
    bool first_turn_ = true;
    bool failed_ = false;

    // the interface's thread
    core::Fleet fleet_;
    std::unordered_map<core::ServerId, std::vector<manager::WakeAsk>> wake_asks_; ///< by relay
    eventstore::Head head_;
    manager::Accounts accounts_;
    std::vector<Held> held_;
    std::uint64_t holds_ = 0;

    // the writer's
    std::vector<std::unique_ptr<manager::Job>> queue_;
    std::vector<std::unique_ptr<manager::Job>> jobs_;
    Published published_;
    Answers answers_;
    Time seen_at_{};
    Time busy_until_{};
    Time planned_{Time::max()};
    Time last_turn_{};
    std::optional<Time> stopped_at_; ///< when a pause began that no turn has come after
    Time paused_until_{};
};

} // namespace cpm::sim
