#pragma once

#include "core/event.hpp"
#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cpm::eventstore {

/// Where the log ends. The epoch rises by one with each accepted rollback.
struct Head {
    std::uint64_t epoch = 1;
    core::Sequence sequence;
    core::Hash hash{};
    bool operator==(Head const&) const = default;
};

/// An event as it stands in the log. `bytes` are the stored ones and live as long as the visit.
struct StoredEvent {
    core::Event event;
    core::Hash hash{}; ///< SHA-256 of `bytes`
    std::span<std::uint8_t const> bytes;
};

/// Returns false to stop reading.
using EventVisitor = std::function<bool(StoredEvent const&)>;

/// What is kept beside the log and changed in the same batch, and is not a fold of it (accounts:
/// hashes only); event log 2.2.
enum class Table : std::uint8_t { Accounts, Idempotency, Meta };

struct RecordChange {
    Table table{};
    std::string key;
    std::optional<std::string> value; ///< none: deleted
    bool operator==(RecordChange const&) const = default;
};

/// Reading a log. Safe from several threads, also while another thread appends.
class EventReader {
  public:
    virtual ~EventReader() = default;

    virtual Head head() const = 0;

    /// Visits the events with first <= sequence <= last in ascending order, `last` capped at the
    /// head. Steps over heartbeats that were compacted away (event log 2.3). Fails with Corrupt,
    /// naming the sequence, when another record is missing, does not decode, or breaks the chain.
    virtual core::Result<void>
    read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const = 0;

    /// The same in descending order (the chain is not checked; each record is decoded).
    virtual core::Result<void>
    read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const = 0;

    /// The events that concern one server, found by index; ascending.
    virtual core::Result<void> read_server(
        core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
    ) const = 0;

    /// The last number of all ranges that HeartbeatsCompacted events name, or none: up to there
    /// routine heartbeats may be missing.
    virtual core::Result<core::Sequence> compacted_until() const = 0;

    /// All records of a table, in the order of their keys.
    virtual core::Result<void> read_table(
        Table table, std::function<void(std::string_view key, std::string_view value)> const& visit
    ) const = 0;
};

/// The append-only log: the truth, of which all else is a projection (event log 2).
///
/// Concurrency: one writer thread calls the non-const members; reading is safe from any thread.
class EventLog : public EventReader {
  public:
    /// Appends the events as one batch with one sync, together with the changes; durable when it
    /// returns. `after` is the sequence the batch follows: another one means a second writer, and
    /// fails with Fenced. events[i].sequence must be after + 1 + i, each event must fit a record,
    /// and a RollbackAccepted must name a higher epoch than the head's: else Validation, and
    /// nothing has happened. A failed sync (Storage) ends acceptance for good: every later append
    /// fails, and unconfirmed_from() names the first doubtful event at the next start. A range that
    /// a HeartbeatsCompacted names begins behind those named before. An empty `events` with changes
    /// alone is allowed. Keys of Table::Meta must not begin with "log.": those are the log's own.
    virtual core::Result<void> append(
        core::Sequence after,
        std::span<core::Event const> events,
        std::span<RecordChange const> changes
    ) = 0;

    /// Puts {epoch, sequence, hash} of the head on disk beside the log, fsynced, if it changed.
    /// Called at least every second and at a clean stop.
    virtual core::Result<void> keep_witness() = 0;

    /// The first event whose sync failed in the life before this one, if any: nothing from there on
    /// was promised.
    virtual std::optional<core::Sequence> unconfirmed_from() const = 0;
    /// Called once the doubtful requests were withdrawn, durably.
    virtual core::Result<void> clear_unconfirmed() = 0;

    /// The log is known to be older than somebody's witness; why, or none. Survives restarts until
    /// a RollbackAccepted above the epochs of all witnesses is appended.
    virtual std::optional<std::string> rolled_back() const = 0;
    /// `witnessed_epoch`: of that witness. Also when it is known already: the highest one is kept.
    virtual core::Result<void>
    mark_rolled_back(std::string_view why, std::uint64_t witnessed_epoch) = 0;
    /// The highest epoch that this log or, since it was rolled back, a witness is known to have
    /// reached: the epoch that ends the rollback must be higher.
    virtual std::uint64_t witnessed_epoch() const = 0;

    /// Deletes the records of the oldest range that a HeartbeatsCompacted names and whose records
    /// may still be there: one range a call, all of it or nothing. False: none was left. The head
    /// witness goes to the disk first. Fails as append() does, and with Corrupt, naming the event,
    /// when the records are not the heartbeats that the range speaks of.
    virtual core::Result<bool> remove_compacted() = 0;
    /// About how many bytes the records from `first` on take.
    virtual std::uint64_t bytes_from(core::Sequence first) const = 0;

    /// Free bytes where the log lies; none when that cannot be told or does not matter.
    virtual std::optional<std::uint64_t> free_bytes() const = 0;
    /// Size of that file system in bytes.
    virtual std::optional<std::uint64_t> total_bytes() const = 0;
};

} // namespace cpm::eventstore
