#pragma once

#include "eventstore/event_log.hpp"
#include "eventstore/snapshot_store.hpp"
#include "projections/log_fold.hpp"
#include "tools/cpm-replay/fault.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace cpm::replay {

/// Compares the snapshots of a log with what follows from its events (event log 2.3).
///
/// Operation: reads the snapshots at once, then is fed with the events in order, and holds as much
/// as a fold of them until the last snapshot is judged. A snapshot of another version of CPM is not
/// judged (its state may be another), nor one whose records were lost or compacted away since.
class SnapshotCheck {
  public:
    /// A running manager makes snapshots: those read here must come before what is read of the log.
    SnapshotCheck(std::filesystem::path const& data_directory, FaultSink found);

    void add(eventstore::StoredEvent const& stored);
    /// A record in between could not be read: what follows from it nobody knows.
    void lost() { waiting_.clear(); }
    /// Those that are left lie behind the end. `log`: to see what was compacted away.
    void end(eventstore::EventReader const& log);

    /// How many were found to be what follows.
    std::size_t confirmed() const { return confirmed_; }

  private:
    void judge(eventstore::Snapshot const& snapshot, core::Hash const& hash);

    FaultSink found_;
    std::vector<eventstore::Snapshot> waiting_; ///< the next one last
    std::optional<projections::LogFold> fold_;
    std::vector<core::Sequence> different_; ///< which is no fault if records were compacted away
    std::size_t confirmed_ = 0;
};

} // namespace cpm::replay
