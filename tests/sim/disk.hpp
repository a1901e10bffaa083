#pragma once

#include "eventstore/event_log.hpp"
#include "tests/sim/records.hpp"
#include "tests/sim/schedule.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cpm::sim {

/// What is on the platters of the manager's disk, and what of it would survive a crash at any
/// moment: the records as the product encodes and chains them, its tables, the notes beside the
/// log, and the snapshots' files. The rules of opening and of a failed sync are RocksDbLog's, said
/// again.
///
/// Operation: each write is done when its sync is over. A crash before that undoes it, or not: the
/// caller rolls the dice. Records that were compacted away are deleted without a sync of their own,
/// so that a power cut brings back those that no later append has synced.
class Disk {
  public:
    explicit Disk(core::Hash const& log_id)
        : log_id_(log_id) {}

    struct RolledBack {
        std::uint64_t epoch = 0;
        std::string why;
        std::uint64_t witnessed_epoch = 0;
    };
    using Tables = std::map<std::pair<eventstore::Table, std::string>, std::string>;
    using Ranges = std::vector<core::HeartbeatsCompacted>; ///< ascending
    using Files = std::map<std::string, std::string>;
    struct Content {
        Records records;
        std::uint64_t epoch = 1;
        Tables tables;
        Ranges ranges;
        core::Sequence removed_until; ///< of the ranges whose records were deleted
        std::optional<eventstore::Head> witness;
        std::optional<core::Sequence> unconfirmed;
        std::optional<RolledBack> rolled_back;
        Files snapshots;

        /// The note counts until an epoch above all witnesses has begun.
        bool is_rolled_back() const {
            return rolled_back &&
                   epoch <= std::max(rolled_back->epoch, rolled_back->witnessed_epoch);
        }
    };

    // --- what a log does to it; `done` is when its sync is over

    struct Batch {
        eventstore::NewRecords records;
        Ranges ranges;
        std::span<eventstore::RecordChange const> changes;
    };
    void append(Batch const& batch, Time done);
    /// The records of the oldest range that are still there.
    void remove(core::HeartbeatsCompacted const& range);
    void put_witness(eventstore::Head const& head, Time done);
    void put_unconfirmed(std::optional<core::Sequence> from, Time done);
    void put_rolled_back(std::optional<RolledBack> note, Time done);

    // --- what happens to it

    /// The machine, or the process, ends. What was not done by `now` is undone; of what was under
    /// way at that moment `keeps_first` tells whether its first write is there nevertheless.
    /// Returns how many records were lost.
    std::size_t crash(Time now, bool keeps_first, bool power_cut);
    bool has_undone(Time now) const;
    /// A copy of the data directory.
    Content copy() const { return content_; }
    /// `with_snapshots`: those of the copy; else those that are there stay.
    void put_back(Content const& copy, bool with_snapshots);
    /// Of the last batches so many are gone, and nothing else: a disk that lied about its syncs.
    /// Returns how many records that were.
    std::size_t cut_short(std::size_t batches);

    // --- what it holds

    eventstore::Head head() const;
    std::size_t size() const { return content_.records.size(); }
    /// Of the record, or of nothing the log's id; null: its record was deleted.
    core::Hash const* hash_of(core::Sequence sequence) const;
    /// The range that this number was deleted with, or null.
    core::HeartbeatsCompacted const* removed(core::Sequence sequence) const;
    /// Fails where there is no record, also where it was deleted.
    core::Result<eventstore::StoredEvent> stored(core::Sequence sequence) const;
    /// All records of these, in order, over those that were deleted.
    core::Result<void>
    read(core::Sequence first, core::Sequence last, eventstore::EventVisitor const& visit) const;
    Content const& content() const { return content_; }
    void raise_epoch(std::uint64_t epoch) { content_.epoch = epoch; }
    Files& snapshots() { return content_.snapshots; }

  private:
    struct OldRecords {
        std::size_t count = 0;
        std::uint64_t epoch = 1;
        std::size_t ranges = 0;
        std::vector<std::pair<Tables::key_type, std::optional<std::string>>> values;
        std::optional<RolledBack> rolled_back;
    };
    struct OldRange {
        core::Sequence removed_until;
        std::vector<Records::Record> removed;
    };
    struct OldWitness {
        std::optional<eventstore::Head> head;
    };
    struct OldUnconfirmed {
        std::optional<core::Sequence> from;
    };
    struct OldRolledBack {
        std::optional<RolledBack> note;
    };
    /// How to undo one write.
    struct Undo {
        Time done{};
        std::variant<OldRecords, OldRange, OldWitness, OldUnconfirmed, OldRolledBack> old;
    };

    void note(Time done, decltype(Undo::old) old);
    void undo(Undo& write);

    core::Hash log_id_;
    Content content_;
    std::deque<Undo> journal_; ///< oldest first
};

} // namespace cpm::sim
