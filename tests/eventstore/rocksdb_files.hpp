#pragma once

#include "eventstore/rocksdb_log.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

/// Opens the log in `directory`; the reason when it does not open, and its code.
struct Opening {
    std::unique_ptr<cpm::eventstore::RocksDbLog> log;
    std::optional<cpm::core::ErrorCode> code;
    std::string why;
};
Opening open_log(std::filesystem::path const& directory, bool accept_truncated_log = false);

/// Makes a log of `count` simple events with a witness of the last, and closes it.
void make_log(std::filesystem::path const& directory, std::uint64_t count);

// Straight into the database, past CPM. A record as stored; put with none deletes.
std::string raw_get(std::filesystem::path const& directory, std::uint64_t sequence);
void raw_put(
    std::filesystem::path const& directory, std::uint64_t sequence, std::optional<std::string> bytes
);

std::string file_text(std::filesystem::path const& path);
void set_file_text(std::filesystem::path const& path, std::string const& text);
/// The write-ahead log with the most bytes.
std::filesystem::path wal_of(std::filesystem::path const& directory);
