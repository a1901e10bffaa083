#pragma once

#include "core/result.hpp"
#include "eventstore/rocksdb_database.hpp"
#include "eventstore/side_files.hpp"

#include <optional>
#include <string>

namespace cpm::eventstore {

// RocksDB's list of its files (MANIFEST-…) is only appended to, and an end of it that is cut off or
// overwritten is to RocksDB a list that was never longer: it opens without the newest files of some
// families and deletes them. Where the events themselves are whole then, their index or the
// accounts may not be. So a note beside the witness says what the list began with.

/// The list that CURRENT names, when it is not there.
std::optional<std::string> missing_list(SideFiles const& files);

/// Why the list that CURRENT names is not, or does not begin with, the one noted; empty when all is
/// well, nothing was noted, or the list cannot be read, which RocksDB says better. To be asked
/// before RocksDB opens the log, which writes a new list. Corrupt: the note is damaged.
core::Result<std::string> why_not_the_list_noted(SideFiles const& files);

/// Notes the list of an open database as far as it is synced, if it changed since `noted`, which
/// then says what is noted. Durable.
core::Result<void> note_list(SideFiles const& files, Database const& database, std::string& noted);

} // namespace cpm::eventstore
