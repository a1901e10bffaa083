// Deleting what was compacted away (event log 2.3), and what the log takes.
#include "eventstore/fault_point.hpp"
#include "eventstore/record.hpp"
#include "eventstore/rocksdb_log.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

namespace cpm::eventstore {
namespace {

tl::unexpected<core::Error> other_records(core::HeartbeatsCompacted const& range) {
    return core::fail(
        core::ErrorCode::Corrupt,
        "event " + std::to_string(range.first.value) + ": the records from here to event " +
            std::to_string(range.last.value) +
            " are not the heartbeats that were to be compacted away"
    );
}

} // namespace

core::Result<bool> RocksDbLog::remove_compacted() {
    if (auto accepting = check_accepting(); !accepting)
        return tl::make_unexpected(accepting.error());
    auto const range = database_->range_after(removed_until_);
    if (!range)
        return tl::make_unexpected(range.error());
    if (!*range)
        return false;
    // What the witness names must be there at the next start.
    if (auto kept = put_witness(); !kept)
        return tl::make_unexpected(kept.error());
    if (auto removed = remove_range(**range); !removed)
        return tl::make_unexpected(removed.error());
    removed_until_ = (*range)->last;
    return true;
}

// One batch: whoever is killed finds all of the records or none.
core::Result<void> RocksDbLog::remove_range(core::HeartbeatsCompacted const& range) {
    auto* const records = database_->family(ColumnFamily::Log);
    auto* const index = database_->family(ColumnFamily::ByServer);
    rocksdb::WriteBatch batch;
    std::uint64_t count = 0;
    core::Hash last{};
    bool only_heartbeats = true;
    auto const read =
        database_->read(state(), range.first, range.last, [&](StoredEvent const& stored) {
            auto const& event = stored.event;
            only_heartbeats =
                only_heartbeats && std::holds_alternative<core::HeartbeatReceived>(event.payload);
            batch.Delete(records, key_of(event.sequence));
            for (auto const server : {event.server, core::ServerId{}})
                if (concerns(event, server))
                    batch.Delete(index, key_of(server, event.sequence));
            last = stored.hash;
            ++count;
            return only_heartbeats;
        });
    if (!read)
        return read;
    bool const is_whole = count == range.count && last == range.last_hash && only_heartbeats;
    if (count > 0 && !is_whole) // none: they were deleted already, in the log this was made from
        return other_records(range);
    batch.Put(
        database_->family(ColumnFamily::Meta), std::string(kCompactedKey), key_of(range.last)
    );
    CPM_FAULT_POINT("compact");
    // Without a sync: what a power cut undoes is deleted again.
    auto const status = database_->db().Write(rocksdb::WriteOptions(), &batch);
    if (!status.ok())
        return refuse_further(status.ToString(), std::nullopt);
    CPM_FAULT_POINT("compacted");
    return {};
}

std::uint64_t RocksDbLog::bytes_from(core::Sequence first) const {
    rocksdb::SizeApproximationOptions options;
    options.include_memtables = true;
    options.include_files = true;
    auto const from = key_of(first);
    auto const until = key_of(core::Sequence{~0ULL});
    rocksdb::Range const range(from, until);
    std::uint64_t bytes = 0;
    auto const status = database_->db().GetApproximateSizes(
        options, database_->family(ColumnFamily::Log), &range, 1, &bytes
    );
    return status.ok() ? bytes : 0;
}

} // namespace cpm::eventstore
