#pragma once

#include "eventstore/compacted_ranges.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/side_files.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace cpm::eventstore {

class Database;

/// Makes a log of the records of another, byte for byte (event log 2.4).
///
/// Operation: begin() in an empty directory, add() every record in order, finish(). Only then there
/// is a head witness, so a manager starts on a whole log or not at all. Ownership: the directory,
/// until this is destroyed; what was not finished is removed then, and nothing else ever is.
class LogImport {
    struct Private {
        explicit Private() = default;
    };

  public:
    /// Conflict: the directory is not empty. Storage: the disk.
    static core::Result<std::unique_ptr<LogImport>>
    begin(std::filesystem::path const& data, core::Hash const& log_id, std::uint64_t epoch);

    LogImport(
        Private,
        SideFiles files,
        std::unique_ptr<Database> database,
        core::Hash const& log_id,
        std::uint64_t epoch
    );
    ~LogImport();

    /// Corrupt, naming the event: it is no record, or does not follow the one before.
    core::Result<void> add(std::span<std::uint8_t const> record);

    /// Corrupt: the log does not end at this head, or a record is missing that was not compacted
    /// away.
    core::Result<void> finish(Head const& head);

  private:
    struct Gap {
        core::Sequence first;
        core::Hash before; ///< of the record before it
        core::Sequence next;
        core::Hash last; ///< of the last one that is missing
    };
    struct Batch;
    core::Result<void> write(bool synced);
    core::Sequence removed_until() const;

    SideFiles const files_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<Batch> const batch_;
    Head head_;
    std::vector<Gap> gaps_;
    CompactedRanges ranges_;
    bool is_finished_ = false;
};

} // namespace cpm::eventstore
