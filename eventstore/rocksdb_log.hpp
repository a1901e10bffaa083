#pragma once

#include "eventstore/event_log.hpp"
#include "eventstore/rocksdb_database.hpp"
#include "eventstore/side_files.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace cpm::eventstore {

/// The log on disk (event log 2.2): a RocksDB in DATA/log, and beside it the head witness and the
/// notes of a failed sync and of a rollback.
///
/// Operation: an append is one RocksDB batch with one sync; the head moves, and readers see the
/// events, only after it. Concurrency: as EventLog says. The directory belongs to this object until
/// it is destroyed; a second one, in this or another process, is fenced. Limitations: the chain is
/// checked by read(), not by open(), which looks at the head and the witness only. RocksDB aborts
/// the process when the disk is full, so callers must watch free_bytes() and stop appending first.
/// Damage that RocksDB's own threads meet ends acceptance as a failed sync does, and append() says
/// Corrupt.
class RocksDbLog final : public EventLog {
    struct Private {
        explicit Private() = default;
    };

  public:
    struct OpenOptions {
        std::filesystem::path directory; ///< DATA; created when missing
        /// Open a log that lost records (it ends before its witness, has none, or is damaged) as
        /// far as it goes, rolled back.
        bool accept_truncated_log = false;
        /// Bytes of the disk that opening, which writes, must leave free; 0: as it comes.
        std::uint64_t keep_free = 0;
    };

    /// Fenced: another process has it. Corrupt: records were lost or changed, and the text says
    /// what to do. NoSpace: nothing was touched. Storage: the disk.
    static core::Result<std::unique_ptr<RocksDbLog>> open(OpenOptions const& options);

    RocksDbLog(Private, SideFiles files, std::unique_ptr<Database> database);
    ~RocksDbLog() override;

    Head head() const override;
    core::Result<void>
    read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const override;
    core::Result<void>
    read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const override;
    core::Result<void> read_server(
        core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
    ) const override;
    core::Result<core::Sequence> compacted_until() const override;
    core::Result<void> read_table(
        Table table, std::function<void(std::string_view, std::string_view)> const& visit
    ) const override;

    core::Result<void> append(
        core::Sequence after,
        std::span<core::Event const> events,
        std::span<RecordChange const> changes
    ) override;
    core::Result<void> keep_witness() override;
    std::optional<core::Sequence> unconfirmed_from() const override;
    core::Result<void> clear_unconfirmed() override;
    std::optional<std::string> rolled_back() const override;
    core::Result<void> mark_rolled_back(std::string_view why, std::uint64_t epoch) override;
    std::uint64_t witnessed_epoch() const override;
    core::Result<bool> remove_compacted() override;
    std::uint64_t bytes_from(core::Sequence first) const override;
    std::optional<std::uint64_t> free_bytes() const override;
    std::optional<std::uint64_t> total_bytes() const override;

    /// What the log takes on disk; none when that cannot be told. Safe from any thread.
    std::optional<std::uint64_t> used_bytes() const;

  private:
    core::Result<void> begin(bool accept, std::string why_truncated);
    core::Result<void> begin_new();
    core::Result<std::string> why_truncated(std::optional<Head> const& witness) const;
    core::Result<void> accept_truncated(std::uint64_t witnessed_epoch, std::string const& why);
    core::Result<void> remove_range(core::HeartbeatsCompacted const& range);
    core::Result<void> check_accepting();
    core::Result<void> put_witness();
    core::Result<void> refuse_further(std::string why, std::optional<core::Sequence> doubtful);
    Database::State state() const;

    SideFiles const files_;
    std::unique_ptr<Database> const database_;

    mutable std::mutex mutex_; ///< guards what readers see
    Database::State state_;
    std::optional<std::string> rolled_back_;
    std::uint64_t witnessed_epoch_ = 0; ///< 0: no witness of a higher epoch is known
    std::optional<core::Sequence> unconfirmed_from_;

    // The writer's own.
    std::optional<Head> witness_;         ///< as it is on disk
    std::string list_noted_;              ///< of RocksDB's list of files
    core::Sequence removed_until_;        ///< compacted ranges up to here have no records any more
    std::optional<core::Error> refusing_; ///< why nothing is accepted any more
};

} // namespace cpm::eventstore
