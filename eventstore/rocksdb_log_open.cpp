// Opening the log: what must hold before anything is read from it or appended to it.
#include "eventstore/file_copy.hpp"
#include "eventstore/hash.hpp"
#include "eventstore/list_of_files.hpp"
#include "eventstore/record.hpp"
#include "eventstore/rocksdb_log.hpp"
#include "eventstore/rocksdb_options.hpp"
#include "eventstore/rocksdb_reader.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr auto kNothingToCutOff = "; this cannot be cut off: restore it from a backup";

tl::unexpected<core::Error> refused(SideFiles const& files, std::string const& why) {
    return core::fail(
        core::ErrorCode::Corrupt,
        files.log.string() + ": " + why +
            ". Restore the data directory from a backup, or start with --accept-truncated-log "
            "to go on from what is there"
    );
}

std::string ends_before(Head const& head, Head const& witness) {
    return "it ends at event " + std::to_string(head.sequence.value) + ", but had reached event " +
           std::to_string(witness.sequence.value);
}

// Says where the events end, which tells people more than the name of a file; looks without
// changing anything. `why` as it is where that cannot be told.
std::string in_events(fs::path const& directory, std::string why) {
    auto const witness = read_witness(SideFiles(directory));
    auto const reader = RocksDbReader::open(directory);
    if (!reader || !witness || !*witness || (*reader)->head().sequence >= (*witness)->sequence)
        return why;
    return ends_before((*reader)->head(), **witness);
}

core::Result<void> make_directory(fs::path const& directory) {
    std::error_code error;
    std::vector<fs::path> made;
    for (auto path = fs::absolute(directory, error); !fs::exists(path, error) && !error;
         path = path.parent_path())
        made.push_back(path);
    // The accounts in it are hashes, but nobody else shall try passwords on them.
    if (fs::create_directories(directory, error))
        fs::permissions(directory, fs::perms::owner_all, error);
    if (error)
        return core::fail(
            core::ErrorCode::Storage, "cannot create " + directory.string() + ": " + error.message()
        );
    // RocksDB syncs what is in it, not that it is there.
    for (auto const& path : made)
        if (auto synced = sync_directory(path.parent_path()); !synced)
            return synced;
    return {};
}

// What opening takes at most: the events of the write-ahead logs go into tables before those are
// deleted, and a new one is laid out, as is a list of files.
std::uintmax_t bytes_to_open(SideFiles const& files) {
    std::uintmax_t bytes = 16 << 20;
    std::error_code error;
    for (fs::directory_iterator file(files.log, error), end; !error && file != end;
         file.increment(error)) {
        std::error_code gone;
        auto const size = file->path().extension() == ".log" ? file->file_size(gone) : 0;
        bytes += gone ? 0 : size;
    }
    return bytes;
}

// RocksDB aborts the process where it meets the end of the disk.
core::Result<void> check_room(SideFiles const& files, std::uintmax_t keep_free) {
    std::error_code error;
    auto const disk = fs::space(files.log, error);
    if (keep_free == 0 || error || disk.available >= keep_free + bytes_to_open(files))
        return {};
    return core::fail(
        core::ErrorCode::NoSpace,
        "the disk of " + files.log.string() + " is nearly full (" +
            std::to_string(disk.available >> 20) + " MiB are free): free some space, then try again"
    );
}

// Whether RocksDB has ever created a database here: without CURRENT it would make a new one and
// delete what is left.
bool has_database(SideFiles const& files) {
    std::error_code ignored;
    return fs::exists(files.log / "CURRENT", ignored);
}

// Files of a database. A first start that was cut off before CURRENT leaves none of these.
bool has_remains(SideFiles const& files) {
    std::error_code error;
    bool found = fs::exists(files.witness, error);
    for (fs::directory_iterator file(files.log, error), end; !error && file != end;
         file.increment(error)) {
        auto const extension = file->path().extension();
        found |= extension == ".log" || extension == ".sst";
    }
    return found || error;
}

core::Result<void> put_durably(Database const& database, rocksdb::WriteBatch& batch) {
    auto const status = database.db().Write(durable(), &batch);
    if (!status.ok())
        return storage_error("cannot write the log", status);
    return {};
}

core::Result<void> note_damage(SideFiles const& files, std::string const& why) {
    auto const witness = read_witness(files);
    std::uint64_t const epoch = witness && *witness ? (*witness)->epoch : 1;
    return write_rolled_back(files, {epoch, why, epoch});
}

/// Index entries behind the head are of lost events, and their numbers will be given to others.
core::Result<void> forget_behind(Database const& database, core::Sequence head) {
    auto* const index = database.family(ColumnFamily::ByServer);
    rocksdb::WriteBatch batch;
    auto const read = database.read_index([&](core::ServerId server, core::Sequence sequence) {
        if (sequence > head)
            batch.Delete(index, key_of(server, sequence));
    });
    return read ? put_durably(database, batch) : read;
}

/// Derives missing index entries from the log anew: the index's newest files may have been lost.
core::Result<void> complete_index(Database const& database, Database::State const& state) {
    auto* const index = database.family(ColumnFamily::ByServer);
    rocksdb::WriteBatch batch;
    core::Result<void> written;
    // A record that cannot be read is found, and named, by all who read it.
    static_cast<void>(database
                          .read(state, {1}, state.head.sequence, [&](StoredEvent const& stored) {
                              for (auto const server : {stored.event.server, core::ServerId{}})
                                  if (concerns(stored.event, server))
                                      batch.Put(index, key_of(server, stored.event.sequence), "");
                              if (batch.Count() >= 10'000) {
                                  written = put_durably(database, batch);
                                  batch.Clear();
                              }
                              return written.has_value();
                          }));
    return written ? put_durably(database, batch) : written;
}

} // namespace

core::Result<std::unique_ptr<RocksDbLog>> RocksDbLog::open(OpenOptions const& options) {
    SideFiles const files(options.directory);
    if (auto made = make_directory(files.log); !made)
        return tl::make_unexpected(made.error());
    if (auto room = check_room(files, options.keep_free); !room)
        return tl::make_unexpected(room.error());
    bool const create = !has_database(files);
    if (create && has_remains(files) && !options.accept_truncated_log)
        return refused(files, "the database is gone, but traces of one are left");

    auto const other_list = why_not_the_list_noted(files);
    if (!options.accept_truncated_log) {
        if (!other_list)
            return tl::make_unexpected(other_list.error());
        if (!other_list->empty())
            return refused(files, in_events(options.directory, *other_list));
    }
    std::string why = other_list ? *other_list : other_list.error().detail;
    if (!why.empty())
        // Noted first: RocksDB writes a new list, and only this note knows that the old one was
        // not whole.
        if (auto noted = note_damage(files, why); !noted)
            return tl::make_unexpected(noted.error());
    auto database = Database::open_writer(files.log, create, Database::Recovery::Strict);
    if (!database && database.error().code == core::ErrorCode::Corrupt) {
        why = "it is damaged (" + database.error().detail + ")";
        if (!options.accept_truncated_log)
            return refused(files, why);
        // Noted first: once the damaged end is dropped, only this note knows that there was one.
        if (auto noted = note_damage(files, why); !noted)
            return tl::make_unexpected(noted.error());
        database = Database::open_writer(files.log, false, Database::Recovery::Salvage);
        if (!database)
            return core::fail(core::ErrorCode::Corrupt, database.error().detail + kNothingToCutOff);
    }
    if (!database && database.error().code == core::ErrorCode::Storage && !why.empty())
        return core::fail(core::ErrorCode::Corrupt, database.error().detail + kNothingToCutOff);
    if (!database)
        return tl::make_unexpected(database.error());

    auto log = std::make_unique<RocksDbLog>(Private(), files, std::move(*database));
    if (auto begun = log->begin(options.accept_truncated_log, std::move(why)); !begun)
        return tl::make_unexpected(begun.error());
    return log;
}

core::Result<void> RocksDbLog::begin(bool accept, std::string why) {
    auto found = database_->state();
    if (!found)
        return core::fail(found.error().code, files_.log.string() + ": " + found.error().detail);
    state_ = std::move(*found);
    if (!state_.log_id)
        if (auto begun = begin_new(); !begun)
            return begun;

    auto const witness = read_witness(files_);
    if (!witness && !accept)
        return tl::make_unexpected(witness.error());
    if (!witness)
        why = witness.error().detail;
    if (why.empty()) {
        auto const found_why = why_truncated(*witness);
        if (!found_why)
            return tl::make_unexpected(found_why.error());
        why = *found_why;
    }
    if (!why.empty()) {
        if (!accept)
            return refused(files_, why);
        std::uint64_t const epoch = witness && *witness ? (*witness)->epoch : 0;
        if (auto accepted = accept_truncated(epoch, why); !accepted)
            return accepted;
    } else {
        witness_ = *witness;
        // The first witness is on disk before the first record.
        if (auto kept = put_witness(); !kept)
            return kept;
    }

    auto const note = read_rolled_back(files_);
    if (!note)
        return tl::make_unexpected(note.error());
    if (*note && (*note)->counts_in(state_.head.epoch)) {
        rolled_back_ = (*note)->why;
        witnessed_epoch_ = (*note)->witnessed_epoch;
    }
    auto const unconfirmed = read_unconfirmed(files_);
    if (!unconfirmed)
        return tl::make_unexpected(unconfirmed.error());
    unconfirmed_from_ = *unconfirmed;
    auto const removed = database_->removed_until();
    if (!removed)
        return tl::make_unexpected(removed.error());
    removed_until_ = *removed;
    return {};
}

core::Result<void> RocksDbLog::begin_new() {
    core::Hash const id = random_log_id();
    state_ = {id, {1, {}, id}};
    auto* const meta = database_->family(ColumnFamily::Meta);
    rocksdb::WriteBatch batch;
    batch.Put(meta, std::string(kIdKey), {reinterpret_cast<char const*>(id.data()), id.size()});
    batch.Put(meta, std::string(kEpochKey), key_of(core::Sequence{1}));
    return put_durably(*database_, batch);
}

// Empty when the log is all that was ever witnessed.
core::Result<std::string> RocksDbLog::why_truncated(std::optional<Head> const& witness) const {
    Head const& head = state_.head;
    auto const number = [](core::Sequence s) { return std::to_string(s.value); };
    if (!witness)
        return head.sequence
                   ? "it has events, but no head witness (" + files_.witness.string() + ")"
                   : std::string();
    if (head.sequence < witness->sequence)
        return ends_before(head, *witness);
    if (head.epoch < witness->epoch)
        return "it is of epoch " + std::to_string(head.epoch) + ", but had reached epoch " +
               std::to_string(witness->epoch);
    auto hash = witness->sequence ? database_->hash_of(witness->sequence)
                                  : core::Result<core::Hash>(*state_.log_id);
    if (!hash) {
        if (hash.error().code != core::ErrorCode::Corrupt)
            return tl::make_unexpected(hash.error());
        auto const range = database_->range_of(witness->sequence);
        bool const is_compacted = range && *range; // an old witness: it cannot be compared
        return is_compacted ? std::string() : hash.error().detail;
    }
    if (*hash != witness->hash)
        return witness->sequence
                   ? "its event " + number(witness->sequence) + " is not the one that was written"
                   : std::string("it is another log than the one that was begun here");
    return std::string();
}

core::Result<void>
RocksDbLog::accept_truncated(std::uint64_t witnessed_epoch, std::string const& why) {
    if (auto forgotten = forget_behind(*database_, state_.head.sequence); !forgotten)
        return forgotten;
    if (auto completed = complete_index(*database_, state_); !completed)
        return completed;
    // The epoch that ends the rollback must be higher than any that was witnessed.
    if (witnessed_epoch > state_.head.epoch) {
        rocksdb::WriteBatch batch;
        batch.Put(
            database_->family(ColumnFamily::Meta),
            std::string(kEpochKey),
            key_of(core::Sequence{witnessed_epoch})
        );
        if (auto raised = put_durably(*database_, batch); !raised)
            return raised;
        state_.head.epoch = witnessed_epoch;
    }
    if (auto noted = write_rolled_back(files_, {state_.head.epoch, why, state_.head.epoch}); !noted)
        return noted;
    return put_witness();
}

} // namespace cpm::eventstore
