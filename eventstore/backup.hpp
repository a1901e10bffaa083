#pragma once

#include "core/result.hpp"

#include <filesystem>
#include <functional>

namespace cpm::eventstore {

// Backup and restore of a data directory: the log's database, its head witness, its notes, and the
// keys (event log 2.3).

/// Looks at a copy before it counts as one: a failure takes it back.
using CheckCopy = std::function<core::Result<void>(std::filesystem::path const& data)>;

/// Copies the data directory into `target`, which must not be there yet, also while its manager
/// runs. The witness and the note of the list of files are copied first, so that the copied log has
/// at least what they say. `target` appears when everything is on disk and `check` has found it
/// whole. Conflict: `target` is there.
///
/// RocksDB's files are copied as they are: tables never change, the write-ahead log and the list of
/// files are only appended to. When the list was the same before and after, what it names was
/// there; else the rest is copied again.
core::Result<void> back_up(
    std::filesystem::path const& data, std::filesystem::path const& target, CheckCopy const& check
);

/// Copies a backup into a data directory that must be empty (Conflict); made by root, all belongs
/// to the owner of that directory. The backup stays as it is. The witness comes last: a manager
/// does not start on a log without one.
core::Result<void> restore(std::filesystem::path const& backup, std::filesystem::path const& data);

} // namespace cpm::eventstore
