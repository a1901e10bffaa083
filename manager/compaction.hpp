#pragma once

#include "core/settings.hpp"
#include "core/time.hpp"
#include "eventstore/event_log.hpp"
#include "manager/clock.hpp"
#include "manager/routine_runs.hpp"

#include <optional>

namespace cpm::manager {

/// Compacts routine heartbeats away once they are past their retention (event log 2.3).
///
/// Operation: work() does one short piece after the other, whenever it is called: it reads on
/// through the log's old part, or deletes what an earlier event named. What take() gives must be
/// appended; only then, and never before it is durable, its records go. What a process leaves
/// undone the next one finds: begin() goes on behind the last range that the log names.
///
/// Concurrency: none; the writer's thread.
class Compaction {
  public:
    /// One piece looks at this many events, for this long; then the thread is for others for this
    /// long.
    static constexpr std::uint64_t kAtOnce = 1024;
    static constexpr core::milliseconds kBudget{5};
    static constexpr core::milliseconds kPause{100};
    /// The pause when nothing is left to do, or the disk failed.
    static constexpr core::milliseconds kLongPause{1000};
    /// A run that reaches up to where the retention ends may still grow: it is given this long.
    static constexpr std::chrono::hours kPatience{1};

    /// Both must outlive it.
    Compaction(eventstore::EventLog& log, Clock const& clock)
        : log_(log)
        , clock_(clock) {}

    core::Result<void> begin();

    /// One piece, or nothing while it pauses. Fails with Corrupt, and does nothing more.
    core::Result<void> work(core::Settings const& settings, core::Now now);

    /// A range to append now.
    std::optional<core::HeartbeatsCompacted> take() { return runs_.take(); }

  private:
    core::Result<bool> piece(core::Settings const& settings, core::Now now);
    core::Result<bool> look(core::Settings const& settings, core::Now now);

    eventstore::EventLog& log_;
    Clock const& clock_;
    RoutineRuns runs_;
    core::Sequence next_{1}; ///< the first event that was not looked at
    core::MonoTime not_before_{};
    core::MonoTime ends_run_at_{};
    bool is_over_ = false;
};

} // namespace cpm::manager
