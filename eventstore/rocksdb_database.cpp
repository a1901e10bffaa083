#include "eventstore/rocksdb_database.hpp"

#include "core/assert.hpp"
#include "eventstore/rocksdb_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <algorithm>
#include <fcntl.h>
#include <mutex>
#include <unistd.h>
#include <vector>

namespace cpm::eventstore {

namespace {

core::ErrorCode code_of(rocksdb::Status const& status) {
    return status.IsCorruption() ? core::ErrorCode::Corrupt : core::ErrorCode::Storage;
}

} // namespace

/// Keeps the first failure of a flush or compaction: RocksDB would report it to nobody but the next
/// write.
class BackgroundErrors final : public rocksdb::EventListener {
  public:
    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
        std::lock_guard const lock(mutex_);
        if (!first_)
            first_ = core::Error{code_of(*status), status->ToString()};
    }

    std::optional<core::Error> first() const {
        std::lock_guard const lock(mutex_);
        return first_;
    }

  private:
    mutable std::mutex mutex_;
    std::optional<core::Error> first_;
};

namespace {

void put_big_endian(std::string& key, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        key += char(value >> shift & 0xff);
}

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

// Another process, or another open in this one.
bool is_locked(rocksdb::Status const& status) {
    auto const text = status.ToString();
    return status.IsIOError() && (text.find("While lock file") != text.npos ||
                                  text.find("lock hold by current process") != text.npos);
}

/// Whoever started this process may have closed its standard streams. What it prints must not end
/// up in the file of the log that would get such a number.
void occupy_standard_streams() {
    int file = 0;
    do
        file = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        ::close(file);
}

std::vector<rocksdb::ColumnFamilyDescriptor> all_families() {
    auto const cache = new_block_cache();
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (std::size_t i = 0; i < kFamilyNames.size(); ++i)
        families.emplace_back(std::string(kFamilyNames[i]), family_options(ColumnFamily(i), cache));
    return families;
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

std::string range_key_of(core::Sequence first) {
    return std::string(kRangeKeys) + key_of(first);
}

tl::unexpected<core::Error> storage_error(std::string_view what, rocksdb::Status const& status) {
    std::string why = status.ToString();
    // One line, whatever RocksDB read from a damaged file.
    std::erase_if(why, [](unsigned char c) { return c < ' ' || c == 0x7f; });
    return core::fail(code_of(status), std::string(what) + ": " + why);
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
    occupy_standard_streams();
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

core::Result<std::unique_ptr<Database>> Database::open_reader(
    std::filesystem::path const& directory, std::string const& scratch, Reading how
) {
    auto database = std::make_unique<Database>(Private());
    occupy_standard_streams();
    auto options = reader_options();
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    rocksdb::Status status;
    if (how == Reading::Following) {
        status = rocksdb::DB::OpenAsSecondary(
            options, directory.string(), scratch, all_families(), &families, &db
        );
    } else {
        options.db_log_dir = scratch;
        status = rocksdb::DB::OpenForReadOnly(
            options, directory.string(), all_families(), &families, &db
        );
    }
    if (!status.ok())
        return storage_error("cannot read the log in " + directory.string(), status);
    database->db_.reset(db);
    std::copy(families.begin(), families.end(), database->families_.begin());
    return database;
}

std::optional<core::Error> Database::background_error() const {
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

} // namespace cpm::eventstore
