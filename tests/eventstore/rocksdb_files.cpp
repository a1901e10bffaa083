#include "tests/eventstore/rocksdb_files.hpp"

#include "tests/eventstore/events.hpp"

#include <rocksdb/db.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace fs = std::filesystem;

namespace {

void require(rocksdb::Status const& status) {
    if (!status.ok())
        throw std::runtime_error(status.ToString());
}

// The key as the page of the format says: 8 bytes, big-endian.
std::string key(std::uint64_t sequence) {
    std::string text(8, '\0');
    for (int i = 7; i >= 0; --i, sequence >>= 8)
        text[std::size_t(i)] = char(sequence & 0xff);
    return text;
}

void in_database(
    fs::path const& directory,
    std::function<void(rocksdb::DB&, rocksdb::ColumnFamilyHandle*)> const& work
) {
    std::vector<std::string> names;
    auto const path = (directory / "log").string();
    require(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (auto const& name : names)
        descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    require(rocksdb::DB::Open(rocksdb::DBOptions(), path, descriptors, &handles, &opened));
    std::unique_ptr<rocksdb::DB> const db(opened);
    for (auto* handle : handles) {
        if (handle->GetName() == "log")
            work(*db, handle);
        require(db->DestroyColumnFamilyHandle(handle));
    }
}

} // namespace

Opening open_log(fs::path const& directory, bool accept_truncated_log) {
    auto log = cpm::eventstore::RocksDbLog::open({directory, accept_truncated_log});
    if (!log)
        return {nullptr, log.error().code, log.error().detail};
    return {std::move(*log), {}, ""};
}

void make_log(fs::path const& directory, std::uint64_t count) {
    auto const opening = open_log(directory);
    if (!opening.log)
        throw std::runtime_error(opening.why);
    for (std::uint64_t i = 0; i < count; ++i)
        if (auto const why = append_simple(*opening.log, 1); !why.empty())
            throw std::runtime_error(why);
    if (!opening.log->keep_witness())
        throw std::runtime_error("witness");
}

std::string raw_get(fs::path const& directory, std::uint64_t sequence) {
    std::string value;
    in_database(directory, [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* log) {
        require(db.Get(rocksdb::ReadOptions(), log, key(sequence), &value));
    });
    return value;
}

void raw_put(fs::path const& directory, std::uint64_t sequence, std::optional<std::string> bytes) {
    in_database(directory, [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* log) {
        rocksdb::WriteOptions options;
        options.sync = true;
        require(
            bytes ? db.Put(options, log, key(sequence), *bytes)
                  : db.Delete(options, log, key(sequence))
        );
    });
}

std::string file_text(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void set_file_text(fs::path const& path, std::string const& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

fs::path wal_of(fs::path const& directory) {
    fs::path found;
    for (auto const& entry : fs::directory_iterator(directory / "log"))
        if (entry.path().extension() == ".log" &&
            (found.empty() || entry.file_size() > fs::file_size(found)))
            found = entry.path();
    return found;
}
