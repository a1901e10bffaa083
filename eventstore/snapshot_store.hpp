#pragma once

#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/snapshot_folder.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace cpm::eventstore {

/// What followed from the log up to one event (event log 2.3). Never needed: with all of them gone
/// the same follows from the events.
struct Snapshot {
    Head head;         ///< of the log at that event
    core::Hash fold{}; ///< of the code that made the content, and alone can read it
    std::string content;
};

/// The snapshots of a data directory: a file each in DATA/snapshots, named by its sequence.
///
/// Files, and no part of the database: a damaged one must not keep the log from opening, and one
/// that meets a full disk must not end the log's writing (decision 4).
///
/// Concurrency: one thread writes and removes; reading is safe from any thread and process.
class SnapshotStore {
  public:
    static constexpr std::size_t kKept = 2;

    explicit SnapshotStore(std::filesystem::path const& data_directory);
    explicit SnapshotStore(std::shared_ptr<SnapshotFolder> folder);

    /// Newest first. A directory that is missing or cannot be read has none.
    std::vector<core::Sequence> list() const;

    /// Fails when it is not as it was written (Corrupt) or cannot be read (Storage); the text goes
    /// after "the snapshot at event 7 ".
    core::Result<Snapshot> read(core::Sequence sequence) const;

    /// Writes it, without a sync: whatever a power cut leaves of it, read() tells. Then removes
    /// those after it and all but the newest kKept. Storage: the disk; nothing is left of it then.
    core::Result<void> write(Snapshot const& snapshot) const;

    void remove(core::Sequence sequence) const;
    void remove_all() const;

  private:
    std::shared_ptr<SnapshotFolder> const folder_;
};

} // namespace cpm::eventstore
