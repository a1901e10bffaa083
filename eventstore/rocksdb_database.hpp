#pragma once

#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "eventstore/compacted_ranges.hpp"
#include "eventstore/event_log.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Iterator;
class Status;
} // namespace rocksdb

namespace cpm::eventstore {

class BackgroundErrors;

/// The column families of the log's database. The numbers are places in kFamilyNames, not stored.
enum class ColumnFamily : std::uint8_t {
    Default,  ///< RocksDB wants it; empty
    Log,      ///< sequence, 8 bytes big-endian -> record
    ByServer, ///< server, sequence, 8 bytes big-endian each -> nothing
    Snapshots,
    Accounts,
    Idempotency,
    Meta, ///< the log's own few values (below) and the manager's
};
inline constexpr std::array<std::string_view, 7> kFamilyNames{
    "default", "log", "by-server", "snapshots", "accounts", "idempotency", "meta"};

/// The log's own keys in Meta: hidden from read_table, refused in changes.
inline constexpr std::string_view kOwnKeys = "log.";
inline constexpr std::string_view kIdKey = "log.id";
inline constexpr std::string_view kEpochKey = "log.epoch";
/// Until where the records of compacted ranges are known to be deleted.
inline constexpr std::string_view kCompactedKey = "log.compacted";
/// With the first number of a compacted range -> the HeartbeatsCompacted that names it.
inline constexpr std::string_view kRangeKeys = "log.range.";

ColumnFamily family_of(Table table);
/// Big-endian, so that RocksDB's order of keys is the order of numbers.
std::string key_of(core::Sequence sequence);
std::string key_of(core::ServerId server, core::Sequence sequence);
std::string range_key_of(core::Sequence first);

/// A RocksDB status as an error of ours: what could not be done, RocksDB's own words.
tl::unexpected<core::Error> storage_error(std::string_view what, rocksdb::Status const& status);

/// An open RocksDB with the column families of a log. Reading is safe from any thread.
class Database {
    struct Private {
        explicit Private() = default;
    };

  public:
    enum class Recovery {
        Strict,  ///< damage anywhere but in a torn tail: Corrupt
        Salvage, ///< what comes after the damage is dropped
    };

    /// The one writer. Fenced when another process has it open, Corrupt when the database is
    /// damaged, else Storage.
    static core::Result<std::unique_ptr<Database>>
    open_writer(std::filesystem::path const& directory, bool create, Recovery recovery);

    enum class Reading {
        Following, ///< can catch up with the writer; passes over files that are broken
        Strict,    ///< as it lies there; Corrupt when the writer would find it damaged
    };
    /// Changes nothing. `scratch` is a directory for RocksDB's own log file.
    static core::Result<std::unique_ptr<Database>>
    open_reader(std::filesystem::path const& directory, std::string const& scratch, Reading how);

    explicit Database(Private);
    ~Database();

    rocksdb::DB& db() const { return *db_; }
    rocksdb::ColumnFamilyHandle* family(ColumnFamily family) const {
        return families_[std::size_t(family)];
    }
    /// What went wrong in RocksDB's own threads, the first of it.
    std::optional<core::Error> background_error() const;

    core::Result<std::optional<std::string>> get(ColumnFamily family, std::string_view key) const;
    /// The sequence and hash of the last record, none in an empty log; the log's id and epoch.
    /// Corrupt when those are missing. The last record is not decoded.
    struct State {
        std::optional<core::Hash> log_id; ///< none: the database was created, but never used
        Head head;                        ///< its hash is the log's id when it is empty
    };
    core::Result<State> state() const;
    /// The hash of a stored record; Corrupt when it is missing.
    core::Result<core::Hash> hash_of(core::Sequence sequence) const;
    /// The range of compacted heartbeats that holds this number, as its event says; none: it lies
    /// in none. Its records may still be there. Corrupt: the index names something else.
    using Range = std::optional<core::HeartbeatsCompacted>;
    core::Result<Range> range_of(core::Sequence sequence) const;
    /// The first range that begins behind this number.
    core::Result<Range> range_after(core::Sequence sequence) const;
    core::Result<core::Sequence> compacted_until() const;
    /// Until where the records of compacted ranges are known to be deleted.
    core::Result<core::Sequence> removed_until() const;

    // As in EventReader; `state` gives the head to stop at and what the first record follows.
    core::Result<void> read(
        State const& state, core::Sequence first, core::Sequence last, EventVisitor const& visit
    ) const;
    core::Result<void> read_back(
        State const& state, core::Sequence first, core::Sequence last, EventVisitor const& visit
    ) const;
    core::Result<void> read_server(
        State const& state,
        core::ServerId server,
        core::Sequence first,
        core::Sequence last,
        EventVisitor const& visit
    ) const;
    core::Result<void> read_table(
        Table table, std::function<void(std::string_view, std::string_view)> const& visit
    ) const;
    core::Result<void> read_index(std::function<void(core::ServerId, core::Sequence)> const& visit
    ) const;
    /// The index of what was compacted: the first number of a range, and the event that names it.
    core::Result<void> read_ranges(std::function<void(core::Sequence, core::Sequence)> const& visit
    ) const;

  private:
    core::Result<Range> range_before(core::Sequence sequence) const;
    core::Result<Range> range_at(rocksdb::Iterator const& at) const;
    core::Result<Resumed> begin_at(State const& state, core::Sequence first) const;
    core::Result<Resumed>
    resume(core::Sequence next, core::Hash const& previous, bool is_begin) const;

    std::shared_ptr<BackgroundErrors> background_errors_;
    std::unique_ptr<rocksdb::DB> db_;
    std::array<rocksdb::ColumnFamilyHandle*, kFamilyNames.size()> families_{};
};

} // namespace cpm::eventstore
