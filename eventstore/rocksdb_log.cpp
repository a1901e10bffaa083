#include "eventstore/rocksdb_log.hpp"

#include "core/assert.hpp"
#include "eventstore/durable_file.hpp"
#include "eventstore/fault_point.hpp"
#include "eventstore/list_of_files.hpp"
#include "eventstore/record.hpp"
#include "eventstore/rocksdb_options.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <sys/statvfs.h>

namespace cpm::eventstore {
namespace {

rocksdb::Slice slice(std::span<std::uint8_t const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

rocksdb::WriteBatch batch_of(
    Database const& database,
    Head const& before,
    NewRecords const& records,
    std::span<core::Event const> events,
    std::span<RecordChange const> changes
) {
    rocksdb::WriteBatch batch;
    for (std::size_t i = 0; i < events.size(); ++i) {
        auto const sequence = events[i].sequence;
        batch.Put(
            database.family(ColumnFamily::Log), key_of(sequence), slice(records.records[i].bytes)
        );
        for (auto const server : {events[i].server, core::ServerId{}})
            if (concerns(events[i], server))
                batch.Put(database.family(ColumnFamily::ByServer), key_of(server, sequence), "");
        if (auto const* range = std::get_if<core::HeartbeatsCompacted>(&events[i].payload))
            batch.Put(
                database.family(ColumnFamily::Meta), range_key_of(range->first), key_of(sequence)
            );
    }
    for (auto const& change : changes) {
        ASSERT(change.table != Table::Meta || !change.key.starts_with(kOwnKeys));
        auto* const family = database.family(family_of(change.table));
        if (change.value)
            batch.Put(family, change.key, *change.value);
        else
            batch.Delete(family, change.key);
    }
    if (records.head.epoch != before.epoch)
        batch.Put(
            database.family(ColumnFamily::Meta),
            std::string(kEpochKey),
            key_of(core::Sequence{records.head.epoch})
        );
    return batch;
}

std::optional<struct statvfs> file_system(std::filesystem::path const& directory) {
    struct statvfs info {};
    if (::statvfs(directory.c_str(), &info) != 0)
        return std::nullopt;
    return info;
}

} // namespace

RocksDbLog::RocksDbLog(Private, SideFiles files, std::unique_ptr<Database> database)
    : files_(std::move(files))
    , database_(std::move(database)) {}

RocksDbLog::~RocksDbLog() {
    // A compaction that ends after the last witness would be in the list, but not in its note.
    bool const is_open = !list_noted_.empty() && !refusing_;
    if (!is_open)
        return;
    rocksdb::CancelAllBackgroundWork(&database_->db(), true);
    // Without it the list is compared as far as it was noted before.
    static_cast<void>(note_list(files_, *database_, list_noted_));
}

Database::State RocksDbLog::state() const {
    std::lock_guard const lock(mutex_);
    return state_;
}

Head RocksDbLog::head() const {
    return state().head;
}

core::Result<void>
RocksDbLog::read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    return database_->read(state(), first, last, visit);
}

core::Result<void>
RocksDbLog::read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    return database_->read_back(state(), first, last, visit);
}

core::Result<void> RocksDbLog::read_server(
    core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    return database_->read_server(state(), server, first, last, visit);
}

core::Result<core::Sequence> RocksDbLog::compacted_until() const {
    return database_->compacted_until();
}

core::Result<void> RocksDbLog::read_table(
    Table table, std::function<void(std::string_view, std::string_view)> const& visit
) const {
    return database_->read_table(table, visit);
}

core::Result<void> RocksDbLog::append(
    core::Sequence after, std::span<core::Event const> events, std::span<RecordChange const> changes
) {
    if (auto accepting = check_accepting(); !accepting)
        return accepting;
    Head const before = head();
    auto const records = chain(before, after, events);
    if (!records)
        return tl::make_unexpected(records.error());
    if (events.empty() && changes.empty())
        return {};

    auto batch = batch_of(*database_, before, *records, events, changes);
    CPM_FAULT_POINT("append");
    auto status = database_->db().Write(durable(), &batch);
    if (CPM_FAULT("append-fails"))
        status = rocksdb::Status::IOError("fault point");
    if (!status.ok()) {
        std::optional<core::Sequence> doubtful;
        if (!events.empty())
            doubtful = after.next();
        return refuse_further(status.ToString(), doubtful);
    }
    CPM_FAULT_POINT("sync");

    bool is_accepted = false;
    {
        std::lock_guard const lock(mutex_);
        // A witness of the new epoch, or a later one, may have come in the same round.
        is_accepted = records->head.epoch > std::max(before.epoch, witnessed_epoch_);
        state_.head = records->head;
        if (is_accepted)
            rolled_back_.reset();
    }
    // The note counts no more; that it goes away is only tidy.
    if (is_accepted)
        static_cast<void>(remove_file_durably(files_.rolled_back));
    return {};
}

core::Result<void> RocksDbLog::check_accepting() {
    if (!refusing_) // what was acknowledged is synced: nothing of it is in doubt
        refusing_ = database_->background_error();
    if (!refusing_)
        return {};
    return core::fail(refusing_->code, "the log accepts nothing more: " + refusing_->detail);
}

// After a failed sync the records may be in the log or not, and whichever it is can change at the
// next start. So this process promises nothing more, and leaves a note for the next one: what it
// finds from there on was never promised.
core::Result<void>
RocksDbLog::refuse_further(std::string why, std::optional<core::Sequence> doubtful) {
    std::string text = "the log could not be written: " + why;
    refusing_ = {core::ErrorCode::Storage, std::move(why)};
    if (doubtful) {
        // An earlier note that nobody has dealt with yet goes further back.
        if (unconfirmed_from_)
            doubtful = std::min(*doubtful, *unconfirmed_from_);
        if (auto const noted = write_unconfirmed(files_, *doubtful); !noted)
            text += "; " + noted.error().detail;
    }
    return core::fail(core::ErrorCode::Storage, std::move(text));
}

core::Result<void> RocksDbLog::keep_witness() {
    // What went wrong in the background is told now, not to whoever appends next.
    return database_->background_error() ? check_accepting() : put_witness();
}

core::Result<void> RocksDbLog::put_witness() {
    if (auto noted = note_list(files_, *database_, list_noted_); !noted)
        return noted;
    Head const now = head();
    if (witness_ == now)
        return {};
    if (auto written = write_witness(files_, now); !written)
        return written;
    witness_ = now;
    return {};
}

std::optional<core::Sequence> RocksDbLog::unconfirmed_from() const {
    std::lock_guard const lock(mutex_);
    return unconfirmed_from_;
}

core::Result<void> RocksDbLog::clear_unconfirmed() {
    if (auto removed = remove_file_durably(files_.unconfirmed); !removed)
        return removed;
    std::lock_guard const lock(mutex_);
    unconfirmed_from_.reset();
    return {};
}

std::optional<std::string> RocksDbLog::rolled_back() const {
    std::lock_guard const lock(mutex_);
    return rolled_back_;
}

core::Result<void> RocksDbLog::mark_rolled_back(std::string_view why, std::uint64_t epoch) {
    RolledBack note{head().epoch, std::string(why), epoch};
    {
        // Known at once, also when the disk does not take the note: orders must stop now.
        std::lock_guard const lock(mutex_);
        rolled_back_ = note.why;
        note.witnessed_epoch = witnessed_epoch_ = std::max(witnessed_epoch_, epoch);
    }
    return write_rolled_back(files_, note);
}

std::uint64_t RocksDbLog::witnessed_epoch() const {
    std::lock_guard const lock(mutex_);
    return std::max(witnessed_epoch_, state_.head.epoch);
}

std::optional<std::uint64_t> RocksDbLog::free_bytes() const {
    auto const info = file_system(files_.log);
    if (!info)
        return std::nullopt;
    return std::uint64_t(info->f_bavail) * info->f_frsize;
}

std::optional<std::uint64_t> RocksDbLog::total_bytes() const {
    auto const info = file_system(files_.log);
    if (!info)
        return std::nullopt;
    return std::uint64_t(info->f_blocks) * info->f_frsize;
}

std::optional<std::uint64_t> RocksDbLog::used_bytes() const {
    std::error_code error;
    std::uint64_t bytes = 0;
    for (std::filesystem::directory_iterator file(files_.log, error); !error && file != end(file);
         file.increment(error)) {
        std::error_code gone; // RocksDB deletes files meanwhile
        auto const size = file->file_size(gone);
        bytes += gone ? 0 : size;
    }
    return error ? std::nullopt : std::optional(bytes);
}

} // namespace cpm::eventstore
