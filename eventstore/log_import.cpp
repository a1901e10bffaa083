#include "eventstore/log_import.hpp"

#include "eventstore/codec.hpp"
#include "eventstore/hash.hpp"
#include "eventstore/record.hpp"
#include "eventstore/rocksdb_database.hpp"
#include "eventstore/rocksdb_options.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr int kAtOnce = 1000;

rocksdb::Slice slice(std::span<std::uint8_t const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

} // namespace

struct LogImport::Batch {
    rocksdb::WriteBatch writes;
};

core::Result<std::unique_ptr<LogImport>>
LogImport::begin(fs::path const& data, core::Hash const& log_id, std::uint64_t epoch) {
    SideFiles const files(data);
    std::error_code error;
    bool const is_new = fs::create_directories(data, error);
    if (!error && !is_new && !fs::is_empty(data, error))
        return core::fail(
            core::ErrorCode::Conflict, data.string() + " is not empty: a log is made in a new place"
        );
    if (!error)
        fs::create_directory(files.log, error);
    if (!error && is_new)
        fs::permissions(data, fs::perms::owner_all, error);
    if (!error)
        fs::permissions(files.log, fs::perms::owner_all, error);
    if (error)
        return core::fail(
            core::ErrorCode::Storage, "cannot create " + files.log.string() + ": " + error.message()
        );
    auto database = Database::open_writer(files.log, true, Database::Recovery::Strict);
    if (!database) {
        fs::remove_all(files.log, error); // made above, in an empty directory
        return tl::make_unexpected(database.error());
    }
    return std::make_unique<LogImport>(Private(), files, std::move(*database), log_id, epoch);
}

LogImport::LogImport(
    Private,
    SideFiles files,
    std::unique_ptr<Database> database,
    core::Hash const& log_id,
    std::uint64_t epoch
)
    : files_(std::move(files))
    , database_(std::move(database))
    , batch_(std::make_unique<Batch>())
    , head_{epoch, {}, log_id} {
    auto* const meta = database_->family(ColumnFamily::Meta);
    batch_->writes.Put(meta, std::string(kIdKey), slice(log_id));
    batch_->writes.Put(meta, std::string(kEpochKey), key_of(core::Sequence{epoch}));
}

LogImport::~LogImport() {
    if (is_finished_)
        return;
    database_.reset();
    std::error_code ignored; // begin() made it, in an empty directory
    fs::remove_all(files_.log, ignored);
}

core::Result<void> LogImport::add(std::span<std::uint8_t const> record) {
    auto const decoded = decode(record);
    if (!decoded)
        return core::fail(
            core::ErrorCode::Corrupt,
            "the record after event " + std::to_string(head_.sequence.value) + ": " +
                decoded.error().detail
        );
    auto const& event = decoded->event;
    bool const is_next = event.sequence == head_.sequence.next();
    if (event.sequence <= head_.sequence || (is_next && decoded->previous != head_.hash))
        return core::fail(
            core::ErrorCode::Corrupt,
            "event " + std::to_string(event.sequence.value) +
                ": it does not follow the record before it"
        );
    if (!is_next) // that these were compacted away a later event must tell
        gaps_.push_back({head_.sequence.next(), head_.hash, event.sequence, decoded->previous});
    if (auto const* range = std::get_if<core::HeartbeatsCompacted>(&event.payload)) {
        ranges_.add(*range);
        auto* const meta = database_->family(ColumnFamily::Meta);
        batch_->writes.Put(meta, range_key_of(range->first), key_of(event.sequence));
    }

    batch_->writes.Put(database_->family(ColumnFamily::Log), key_of(event.sequence), slice(record));
    for (auto const server : {event.server, core::ServerId{}})
        if (concerns(event, server))
            batch_->writes.Put(
                database_->family(ColumnFamily::ByServer), key_of(server, event.sequence), ""
            );
    head_.sequence = event.sequence;
    head_.hash = sha256(record);
    return batch_->writes.Count() < kAtOnce ? core::Result<void>() : write(false);
}

core::Result<void> LogImport::write(bool synced) {
    // One sync at the end: a log whose making was cut off has no witness and is refused.
    auto options = durable();
    options.sync = synced;
    auto const status = database_->db().Write(options, &batch_->writes);
    batch_->writes.Clear();
    if (!status.ok())
        return storage_error("cannot write the log", status);
    return {};
}

/// Until where the records of all ranges are missing.
core::Sequence LogImport::removed_until() const {
    core::Sequence until;
    auto const is_missing = [&](core::Sequence sequence) {
        auto const behind = std::ranges::upper_bound(gaps_, sequence, {}, &Gap::first);
        return behind != gaps_.begin() && sequence < std::prev(behind)->next;
    };
    for (auto const* range = ranges_.after(until); range && is_missing(range->first);
         range = ranges_.after(until))
        until = range->last;
    return until;
}

core::Result<void> LogImport::finish(Head const& head) {
    if (head_ != head)
        return core::fail(
            core::ErrorCode::Corrupt,
            "it ends at event " + std::to_string(head_.sequence.value) +
                ", and is said to end at event " + std::to_string(head.sequence.value) +
                ": a part is missing, or was changed"
        );
    for (auto const& gap : gaps_) {
        auto const resumed = ranges_.step_over(gap.first, gap.before, gap.next);
        if (!resumed || resumed->next != gap.next || resumed->previous != gap.last)
            return missing_record(gap.first);
    }
    // A manager on this log deletes exactly what the exported log had yet to delete.
    if (auto const until = removed_until())
        batch_->writes.Put(
            database_->family(ColumnFamily::Meta), std::string(kCompactedKey), key_of(until)
        );
    if (auto written = write(true); !written)
        return written;
    auto witnessed = write_witness(files_, head_);
    is_finished_ = witnessed.has_value();
    return witnessed;
}

} // namespace cpm::eventstore
