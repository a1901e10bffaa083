#pragma once

#include "eventstore/event_log.hpp"
#include "eventstore/rocksdb_database.hpp"

#include <filesystem>
#include <memory>
#include <mutex>

namespace cpm::eventstore {

/// Reads a log directory, also while its manager runs, and never changes it (a RocksDB secondary
/// instance). It sees the log as it was at open() or the last refresh().
///
/// Concurrency: reading is safe from any thread; refresh() is for one at a time.
/// It trusts nothing and refuses little: a log whose witness or chain is broken opens, and reading
/// says what is wrong.
class RocksDbReader final : public EventReader {
    struct Private {
        explicit Private() = default;
    };

  public:
    /// NotFound: there is no log in DATA. Corrupt, Storage: it cannot be opened.
    static core::Result<std::unique_ptr<RocksDbReader>> open(std::filesystem::path const& directory
    );

    /// Opens the database as strictly as a manager does, and closes it: open() passes over a file
    /// that cannot be opened, and shows what there was before. Corrupt: no manager starts on it.
    static core::Result<void> check_opens(std::filesystem::path const& directory);
    /// The same, and reads all that lies in it beside the records: the index, accounts, idempotency
    /// keys.
    static core::Result<void> check_beside(std::filesystem::path const& directory);

    RocksDbReader(Private, std::filesystem::path scratch, std::unique_ptr<Database> database);
    ~RocksDbReader() override;

    /// Catches up with what the manager has appended since.
    core::Result<void> refresh();

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

    /// Visits every entry of the index: a server (0: the fleet) and an event that it lists.
    core::Result<void> read_index(std::function<void(core::ServerId, core::Sequence)> const& visit
    ) const;
    /// Visits every entry of the index of what was compacted: the first number of a range, and the
    /// event that names it.
    core::Result<void> read_ranges(std::function<void(core::Sequence, core::Sequence)> const& visit
    ) const;
    /// Of the record; Corrupt when there is none.
    core::Result<core::Hash> hash_of(core::Sequence sequence) const;
    /// The range of compacted heartbeats that holds this number, or none.
    core::Result<std::optional<core::HeartbeatsCompacted>> range_of(core::Sequence sequence) const;

  private:
    core::Result<void> catch_up() const;
    Database::State state() const;

    std::filesystem::path const scratch_;
    std::unique_ptr<Database> database_;
    mutable std::mutex mutex_; ///< guards state_
    Database::State state_;
};

} // namespace cpm::eventstore
