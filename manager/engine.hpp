#pragma once

#include "core/fleet.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/snapshot_store.hpp"
#include "manager/accounts.hpp"
#include "manager/clock.hpp"
#include "manager/compaction.hpp"
#include "manager/deadlines.hpp"
#include "manager/job.hpp"
#include "manager/publication.hpp"
#include "manager/random.hpp"
#include "manager/relays.hpp"
#include "manager/snapshots.hpp"
#include "manager/space.hpp"
#include "manager/waker.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace cpm::manager {

/// What the engine works with. All must outlive it.
struct EngineParts {
    eventstore::EventLog& log;
    wol::WakeSender& sender;
    Clock const& clock;
    Random& random;
    Subscriber& subscriber;
    OwnMacs own_macs;
    std::string version;
    std::optional<std::uint64_t> space_reserve;           ///< bytes; none: the default
    eventstore::SnapshotStore const* snapshots = nullptr; ///< null: a start reads the whole log
    /// Told which snapshot a start begins with, and which it passes over; and at most once, why
    /// heartbeats are no longer compacted away.
    Report report{};
    int reports_ahead = ReportLimits::kAhead;
};

/// The write side: decides, appends, applies, then lets effects happen. Everything that changes a
/// status passes here.
///
/// Operation: a round decides all that waits, then the deadlines that are due, appends it as one
/// batch with one sync, publishes it, answers, and only then acts (wakes).
///
/// Concurrency: none but readiness(); one thread calls the rest (the Writer's, or a simulator's).
/// Time, disk, network and randomness come through EngineParts alone.
///
/// Limitations: after a failed append it is finished: every later call fails with the same error.
class Engine {
  public:
    explicit Engine(EngineParts parts);

    /// Replays the log, from the newest snapshot on; withdraws what was never acknowledged, lets
    /// elapse what elapsed meanwhile (late), and arms the deadlines. The subscriber hears the whole
    /// history first.
    core::Result<void> start();

    /// One round at the time `now`. `listening`: reports could be received all the time up to `now`
    /// since the last round; if not, silence proves nothing and counts anew (status model 1.5).
    /// Both belong together: a process that is stopped between reading the clock and this call must
    /// not find its deadlines passed.
    core::Result<void> round(std::span<std::unique_ptr<Job>> jobs, core::Now now, bool listening);

    /// The manager was held up for a moment: what is overdue at `now` of silence is judged a tick
    /// later, so that reports that came meanwhile are read before it (status model 1.5). Called
    /// before round().
    void hear_first(core::MonoTime now);

    /// Appends ManagerStopped and puts the witness on disk.
    core::Result<void> stop();

    /// The time by which round() must be called again for deadlines to be on time; none: nothing is
    /// pending.
    std::optional<core::MonoTime> next_due() const;

    /// Whoever was answered sees what that answer changed here. From any thread.
    Readiness readiness() const { return readiness_.load(); }
    /// How many deadlines are armed.
    std::size_t timers() const { return deadlines_.size(); }
    eventstore::Head head() const { return parts_.log.head(); }

  private:
    /// A request whose sync failed, and the server as it was before it.
    struct Doubtful {
        core::ServerId server;
        core::Sequence request;
        core::ServerState before;
    };

    core::Sequence begin_with_snapshot();
    core::Result<std::vector<Doubtful>> replay();
    Turn begin_turn(core::Now now);
    void decide_start(Turn& turn, std::vector<Doubtful> const& doubtful);
    void decide_jobs(Turn& turn, std::span<std::unique_ptr<Job>> jobs, std::vector<Job*>& decided);
    void decide_deadlines(Turn& turn);
    void decide_wake(Turn& turn, core::Server const& server, Due const& due);
    core::Result<void> commit(Turn& turn);
    bool may_compact() const;
    void compact(core::Now now);

    void arm(core::Event const& event, core::Now decided);
    void arm_after_start(core::Now now);
    void clear_wake(core::ServerId server);
    void recount_silence(core::MonoTime now);
    bool note_suspend();
    void elapse_overdue(Turn& turn);
    void elapse(Turn& turn, std::vector<core::ServerId> servers, bool late);
    core::milliseconds standby_remaining(core::ServerId server) const;
    Readiness present_readiness() const;
    void watch_space();
    core::Result<void> keep_witness(core::MonoTime now);
    core::Result<void> write_witness();

    EngineParts parts_;
    core::Fleet fleet_;
    Accounts accounts_;
    Idempotency idempotency_;
    Deadlines deadlines_;
    Waker waker_;
    Relays relays_;
    Compaction compaction_;
    ReportLimits report_limits_;
    std::function<core::milliseconds(core::ServerId)> remaining_;
    std::function<core::Result<void>(std::string_view, std::uint64_t)> mark_rolled_back_;
    bool rolled_back_ = false;
    SpaceLevel space_ = SpaceLevel::Plenty;
    core::MonoTime witness_kept_{};
    std::chrono::nanoseconds suspended_{}; ///< of the clock, as of the last look
    std::optional<core::Error> failure_;
    std::atomic<Readiness> readiness_{Readiness::Starting};
    std::vector<Due> due_; ///< kept between rounds for its memory
};

} // namespace cpm::manager
