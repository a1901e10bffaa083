#include "eventstore/rocksdb_reader.hpp"

#include "eventstore/list_of_files.hpp"
#include "eventstore/side_files.hpp"

#include <rocksdb/db.h>

#include <cerrno>
#include <cstring>
#include <stdlib.h>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

/// While a manager runs its files change, and now and then one is gone that was just listed.
constexpr int kTries = 3;

core::Result<fs::path> make_scratch() {
    std::error_code error;
    auto pattern = (fs::temp_directory_path(error) / "cpm-reader-XXXXXX").string();
    if (error || !::mkdtemp(pattern.data()))
        return core::fail(
            core::ErrorCode::Storage,
            "cannot create a directory like " + pattern + ": " +
                (error ? error.message() : std::strerror(errno))
        );
    return fs::path(pattern);
}

void remove_scratch(fs::path const& scratch) {
    std::error_code ignored; // a few kilobytes in the temporary directory
    fs::remove_all(scratch, ignored);
}

core::Result<void> read_beside(Database const& database) {
    for (auto const table : {Table::Accounts, Table::Idempotency, Table::Meta})
        if (auto read = database.read_table(table, [](auto, auto) {}); !read)
            return read;
    if (auto read = database.read_ranges([](auto, auto) {}); !read)
        return read;
    return database.read_index([](auto, auto) {});
}

core::Result<std::unique_ptr<Database>>
open_once(SideFiles const& files, fs::path const& scratch, Database::Reading how) {
    auto database = Database::open_reader(files.log, scratch.string(), how);
    if (!database)
        if (auto const list = missing_list(files))
            return core::fail(
                core::ErrorCode::Corrupt,
                "cannot read the log in " + files.log.string() + ": its list of files, " + *list +
                    ", is missing"
            );
    return database;
}

core::Result<void> open_strictly(
    fs::path const& directory, std::function<core::Result<void>(Database const&)> const& read
) {
    SideFiles const files(directory);
    auto const scratch = make_scratch();
    if (!scratch)
        return tl::make_unexpected(scratch.error());
    core::Result<void> done;
    for (int tries = 0; tries < kTries && (tries == 0 || !done); ++tries) {
        auto const database = open_once(files, *scratch, Database::Reading::Strict);
        done = database ? read(**database) : tl::make_unexpected(database.error());
    }
    remove_scratch(*scratch);
    return done;
}

} // namespace

core::Result<std::unique_ptr<RocksDbReader>> RocksDbReader::open(fs::path const& directory) {
    SideFiles const files(directory);
    std::error_code error;
    if (!fs::exists(files.log / "CURRENT", error))
        return core::fail(
            error ? core::ErrorCode::Storage : core::ErrorCode::NotFound,
            "there is no log in " + directory.string() + (error ? ": " + error.message() : "")
        );
    auto const scratch = make_scratch();
    if (!scratch)
        return tl::make_unexpected(scratch.error());
    auto database = open_once(files, *scratch, Database::Reading::Following);
    for (int tries = 1; !database && tries < kTries; ++tries)
        database = open_once(files, *scratch, Database::Reading::Following);
    if (!database) {
        remove_scratch(*scratch);
        return tl::make_unexpected(database.error());
    }
    auto reader = std::make_unique<RocksDbReader>(Private(), *scratch, std::move(*database));
    if (auto refreshed = reader->refresh(); !refreshed)
        return tl::make_unexpected(refreshed.error());
    return reader;
}

core::Result<void> RocksDbReader::check_opens(fs::path const& directory) {
    return open_strictly(directory, [](Database const&) { return core::Result<void>(); });
}

core::Result<void> RocksDbReader::check_beside(fs::path const& directory) {
    return open_strictly(directory, read_beside);
}

RocksDbReader::RocksDbReader(Private, fs::path scratch, std::unique_ptr<Database> database)
    : scratch_(std::move(scratch))
    , database_(std::move(database)) {}

RocksDbReader::~RocksDbReader() {
    database_.reset();
    remove_scratch(scratch_);
}

core::Result<void> RocksDbReader::catch_up() const {
    auto const status = database_->db().TryCatchUpWithPrimary();
    if (!status.ok())
        return storage_error("cannot catch up with the log", status);
    return {};
}

core::Result<void> RocksDbReader::refresh() {
    if (auto caught = catch_up(); !caught)
        return caught;
    auto state = database_->state();
    if (!state)
        return tl::make_unexpected(state.error());
    std::lock_guard const lock(mutex_);
    state_ = std::move(*state);
    return {};
}

Database::State RocksDbReader::state() const {
    std::lock_guard const lock(mutex_);
    return state_;
}

Head RocksDbReader::head() const {
    return state().head;
}

// While this instance catches up, the writer may move records from the write-ahead log to a table
// file: the instance saw the old list of files and the new write-ahead log, and a gap between them.
// Catching up again closes it; real damage stays.
core::Result<void>
RocksDbReader::read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    auto const to_next = [&](StoredEvent const& stored) {
        first = stored.event.sequence.next();
        return visit(stored);
    };
    auto const done = database_->read(state(), first, last, to_next);
    if (done || done.error().code != core::ErrorCode::Corrupt || !catch_up())
        return done;
    return database_->read(state(), first, last, to_next);
}

core::Result<void> RocksDbReader::read_back(
    core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    return database_->read_back(state(), first, last, visit);
}

core::Result<void> RocksDbReader::read_server(
    core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    return database_->read_server(state(), server, first, last, visit);
}

core::Result<void>
RocksDbReader::read_index(std::function<void(core::ServerId, core::Sequence)> const& visit) const {
    return database_->read_index(visit);
}

core::Result<void>
RocksDbReader::read_ranges(std::function<void(core::Sequence, core::Sequence)> const& visit) const {
    return database_->read_ranges(visit);
}

core::Result<core::Hash> RocksDbReader::hash_of(core::Sequence sequence) const {
    return database_->hash_of(sequence);
}

core::Result<std::optional<core::HeartbeatsCompacted>>
RocksDbReader::range_of(core::Sequence sequence) const {
    return database_->range_of(sequence);
}

core::Result<core::Sequence> RocksDbReader::compacted_until() const {
    return database_->compacted_until();
}

core::Result<void> RocksDbReader::read_table(
    Table table, std::function<void(std::string_view, std::string_view)> const& visit
) const {
    return database_->read_table(table, visit);
}

} // namespace cpm::eventstore
