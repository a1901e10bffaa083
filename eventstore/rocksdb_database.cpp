#include "eventstore/rocksdb_database.hpp"

#include "core/assert.hpp"
#include "eventstore/hash.hpp"
#include "eventstore/record.hpp"
#include "eventstore/rocksdb_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace cpm::eventstore {

/// Keeps the first failure of a flush or compaction: RocksDB would report it to nobody but the next
/// write.
class BackgroundErrors final : public rocksdb::EventListener {
  public:
    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
        std::lock_guard const lock(mutex_);
        if (!first_)
            first_ = status->ToString();
    }

    std::optional<std::string> first() const {
        std::lock_guard const lock(mutex_);
        return first_;
    }

  private:
    mutable std::mutex mutex_;
    std::optional<std::string> first_;
};

namespace {

void put_big_endian(std::string& key, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        key += char(value >> shift & 0xff);
}

std::optional<std::uint64_t> big_endian(std::string_view bytes) {
    if (bytes.size() != 8)
        return std::nullopt;
    std::uint64_t value = 0;
    for (char const byte : bytes)
        value = value << 8 | std::uint8_t(byte);
    return value;
}

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

std::span<std::uint8_t const> bytes_of(rocksdb::Slice const& slice) {
    return {reinterpret_cast<std::uint8_t const*>(slice.data()), slice.size()};
}

// Another process, or another open in this one.
bool is_locked(rocksdb::Status const& status) {
    auto const text = status.ToString();
    return status.IsIOError() && (text.find("While lock file") != text.npos ||
                                  text.find("lock hold by current process") != text.npos);
}

std::vector<rocksdb::ColumnFamilyDescriptor> all_families() {
    auto const cache = new_block_cache();
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (std::size_t i = 0; i < kFamilyNames.size(); ++i)
        families.emplace_back(std::string(kFamilyNames[i]), family_options(ColumnFamily(i), cache));
    return families;
}

rocksdb::ReadOptions scan() {
    rocksdb::ReadOptions options;
    // A replay reads everything once; it must not push out what is read again and again.
    options.fill_cache = false;
    return options;
}

} // namespace

ColumnFamily family_of(Table table) {
    switch (table) {
    case Table::Accounts: return ColumnFamily::Accounts;
    case Table::Idempotency: return ColumnFamily::Idempotency;
    case Table::Meta: return ColumnFamily::Meta;
    }
    ASSERT(!"a table");
    return {};
}

std::string key_of(core::Sequence sequence) {
    std::string key;
    put_big_endian(key, sequence.value);
    return key;
}

std::string key_of(core::ServerId server, core::Sequence sequence) {
    std::string key;
    put_big_endian(key, server.value);
    put_big_endian(key, sequence.value);
    return key;
}

tl::unexpected<core::Error> storage_error(std::string_view what, rocksdb::Status const& status) {
    auto const code = status.IsCorruption() ? core::ErrorCode::Corrupt : core::ErrorCode::Storage;
    return core::fail(code, std::string(what) + ": " + status.ToString());
}

Database::Database(Private)
    : background_errors_(std::make_shared<BackgroundErrors>()) {}

Database::~Database() {
    if (!db_)
        return;
    for (auto* family : families_)
        db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    // Everything acknowledged is synced already; a failure to close takes nothing back.
    db_->Close().PermitUncheckedError();
}

core::Result<std::unique_ptr<Database>>
Database::open_writer(std::filesystem::path const& directory, bool create, Recovery recovery) {
    auto database = std::make_unique<Database>(Private());
    auto options = writer_options(create, recovery);
    options.listeners.push_back(database->background_errors_);
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    auto const status =
        rocksdb::DB::Open(options, directory.string(), all_families(), &families, &db);
    if (is_locked(status))
        return core::fail(
            core::ErrorCode::Fenced,
            "another process uses the log in " + directory.string() +
                "; stop it first, or give this one another data directory"
        );
    if (!status.ok())
        return storage_error("cannot open the log in " + directory.string(), status);
    database->db_.reset(db);
    std::copy(families.begin(), families.end(), database->families_.begin());
    return database;
}

core::Result<std::unique_ptr<Database>> Database::open_secondary(
    std::filesystem::path const& directory, std::filesystem::path const& scratch
) {
    auto database = std::make_unique<Database>(Private());
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    auto const status = rocksdb::DB::OpenAsSecondary(
        secondary_options(), directory.string(), scratch.string(), all_families(), &families, &db
    );
    if (!status.ok())
        return storage_error("cannot read the log in " + directory.string(), status);
    database->db_.reset(db);
    std::copy(families.begin(), families.end(), database->families_.begin());
    return database;
}

std::optional<std::string> Database::background_error() const {
    return background_errors_->first();
}

core::Result<std::optional<std::string>>
Database::get(ColumnFamily where, std::string_view key) const {
    std::string value;
    auto const status = db_->Get(rocksdb::ReadOptions(), family(where), slice(key), &value);
    if (status.IsNotFound())
        return std::nullopt;
    if (!status.ok())
        return storage_error("cannot read the log", status);
    return value;
}

core::Result<Database::State> Database::state() const {
    State state;
    auto const id = get(ColumnFamily::Meta, kIdKey);
    if (!id)
        return tl::make_unexpected(id.error());
    auto const epoch = get(ColumnFamily::Meta, kEpochKey);
    if (!epoch)
        return tl::make_unexpected(epoch.error());
    std::unique_ptr<rocksdb::Iterator> const last(
        db_->NewIterator(scan(), family(ColumnFamily::Log))
    );
    last->SeekToLast();
    if (!last->status().ok())
        return storage_error("cannot read the log", last->status());

    bool const used = *id || *epoch || last->Valid();
    if (!used)
        return state;
    auto const number = *epoch ? big_endian(**epoch) : std::nullopt;
    if (!*id || (*id)->size() != core::Hash().size() || !number)
        return core::fail(
            core::ErrorCode::Corrupt, "the log's id or epoch is missing; restore it from a backup"
        );
    state.log_id.emplace();
    std::copy((*id)->begin(), (*id)->end(), state.log_id->begin());
    state.head = {*number, {}, *state.log_id};
    if (last->Valid()) {
        auto const sequence = big_endian(last->key().ToStringView());
        if (!sequence || *sequence == 0)
            return core::fail(core::ErrorCode::Corrupt, "the log's last key is no sequence");
        state.head.sequence = {*sequence};
        state.head.hash = sha256(bytes_of(last->value()));
    }
    return state;
}

core::Result<core::Hash> Database::hash_of(core::Sequence sequence) const {
    rocksdb::PinnableSlice record;
    auto const status =
        db_->Get(rocksdb::ReadOptions(), family(ColumnFamily::Log), key_of(sequence), &record);
    if (status.IsNotFound())
        return missing_record(sequence);
    if (!status.ok())
        return storage_error("event " + std::to_string(sequence.value), status);
    return sha256(bytes_of(record));
}

core::Result<void> Database::read(
    State const& state, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    first = std::max(first, core::Sequence{1});
    last = std::min(last, state.head.sequence);
    if (first > last)
        return {};
    core::Hash previous = *state.log_id;
    if (first.value > 1) {
        auto const before = hash_of({first.value - 1});
        if (!before)
            return tl::make_unexpected(before.error());
        previous = *before;
    }
    std::unique_ptr<rocksdb::Iterator> const at(db_->NewIterator(scan(), family(ColumnFamily::Log))
    );
    at->Seek(key_of(first));
    for (auto sequence = first; sequence <= last; sequence = sequence.next(), at->Next()) {
        if (!at->status().ok())
            return storage_error("event " + std::to_string(sequence.value), at->status());
        if (!at->Valid() || big_endian(at->key().ToStringView()) != sequence.value)
            return missing_record(sequence);
        auto const stored = open_record(sequence, bytes_of(at->value()), &previous);
        if (!stored)
            return tl::make_unexpected(stored.error());
        if (!visit(*stored))
            break;
        previous = stored->hash;
    }
    return {};
}

core::Result<void> Database::read_back(
    State const& state, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    first = std::max(first, core::Sequence{1});
    last = std::min(last, state.head.sequence);
    if (first > last)
        return {};
    std::unique_ptr<rocksdb::Iterator> const at(db_->NewIterator(scan(), family(ColumnFamily::Log))
    );
    at->SeekForPrev(key_of(last));
    for (auto sequence = last; sequence >= first; sequence = {sequence.value - 1}, at->Prev()) {
        if (!at->status().ok())
            return storage_error("event " + std::to_string(sequence.value), at->status());
        if (!at->Valid() || big_endian(at->key().ToStringView()) != sequence.value)
            return missing_record(sequence);
        auto const stored = open_record(sequence, bytes_of(at->value()), nullptr);
        if (!stored)
            return tl::make_unexpected(stored.error());
        if (!visit(*stored))
            break;
    }
    return {};
}

core::Result<void> Database::read_server(
    State const& state,
    core::ServerId server,
    core::Sequence first,
    core::Sequence last,
    EventVisitor const& visit
) const {
    last = std::min(last, state.head.sequence);
    if (first > last)
        return {};
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(rocksdb::ReadOptions(), family(ColumnFamily::ByServer))
    );
    auto const end = key_of(server, last);
    rocksdb::PinnableSlice record;
    for (at->Seek(key_of(server, first)); at->Valid() && at->key().compare(end) <= 0; at->Next()) {
        auto const number = big_endian(at->key().ToStringView().substr(8));
        if (!number)
            return core::fail(core::ErrorCode::Corrupt, "a key of the index is no key");
        core::Sequence const sequence{*number};
        record.Reset();
        auto const status =
            db_->Get(rocksdb::ReadOptions(), family(ColumnFamily::Log), key_of(sequence), &record);
        if (status.IsNotFound())
            return missing_record(sequence);
        if (!status.ok())
            return storage_error("event " + std::to_string(*number), status);
        auto const stored = open_record(sequence, bytes_of(record), nullptr);
        if (!stored)
            return tl::make_unexpected(stored.error());
        if (!visit(*stored))
            return {};
    }
    if (!at->status().ok())
        return storage_error("cannot read the index", at->status());
    return {};
}

core::Result<void>
Database::read_index(std::function<void(core::ServerId, core::Sequence)> const& visit) const {
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(scan(), family(ColumnFamily::ByServer))
    );
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        auto const key = at->key().ToStringView();
        auto const server = big_endian(key.substr(0, 8));
        auto const sequence = big_endian(key.substr(std::min<std::size_t>(key.size(), 8)));
        if (!server || !sequence)
            return core::fail(core::ErrorCode::Corrupt, "a key of the index is no key");
        visit({*server}, {*sequence});
    }
    if (!at->status().ok())
        return storage_error("cannot read the index", at->status());
    return {};
}

core::Result<void> Database::read_table(
    Table table, std::function<void(std::string_view, std::string_view)> const& visit
) const {
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(rocksdb::ReadOptions(), family(family_of(table)))
    );
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        auto const key = at->key().ToStringView();
        if (table == Table::Meta && key.starts_with(kOwnKeys))
            continue;
        visit(key, at->value().ToStringView());
    }
    if (!at->status().ok())
        return storage_error("cannot read a table of the log", at->status());
    return {};
}

} // namespace cpm::eventstore
