#pragma once

#include "core/result.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/snapshot_store.hpp"
#include "projections/log_fold.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::manager {

// Snapshots (event log 2.3): what a start need not read again. A snapshot counts only if the log
// has the same record where it ends, and if this program would fold to the same kind of state.

/// Takes one line for the operator's log.
using Report = std::function<void(std::string_view line)>;

/// Why a snapshot does not count for this log and this program; empty: it does. Goes after "the
/// snapshot at event 7 ". Its content is not looked into.
std::string why_not(eventstore::Snapshot const& snapshot, eventstore::EventReader const& log);

/// What follows from the log up to an event.
struct Restored {
    projections::LogFold fold;
    core::Sequence sequence; ///< none: nothing was restored, and the first event comes next
    std::string packed;      ///< the same as bytes, as they were stored
};

/// The newest snapshot that counts. `before`: only those that end before this event. Each that does
/// not count is passed over, and reported.
Restored restore(
    eventstore::EventReader const& log,
    eventstore::SnapshotStore const& store,
    std::optional<core::Sequence> before,
    Report const& report
);

/// Whether records up to this event were compacted away since: then what is left folds to a state
/// with other times and report numbers than it had.
core::Result<bool> compacted_since(eventstore::EventReader const& log, core::Sequence sequence);

} // namespace cpm::manager
