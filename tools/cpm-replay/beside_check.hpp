#pragma once

#include "eventstore/rocksdb_reader.hpp"
#include "eventstore/side_files.hpp"
#include "tools/cpm-replay/fault.hpp"

namespace cpm::replay {

/// The head witness, and whether RocksDB's list of files is the one that was noted. Returns the
/// witness, if there is one that can be read.
std::optional<eventstore::Head>
check_witness_files(eventstore::SideFiles const& files, FaultSink const& sink);

/// Why what a log shows may not be all that was written: it does not reach its head witness (as
/// that was read before the log was opened), or a manager would not open its database. Empty: all
/// is well, as far as that can be told without reading it.
std::string why_not_all(
    std::filesystem::path const& data,
    core::Result<std::optional<eventstore::Head>> const& witness,
    eventstore::RocksDbReader const& log
);

/// A log that was opened although it had lost records is at fault until an administrator accepts
/// that.
void check_rollback(
    eventstore::SideFiles const& files, eventstore::Head const& head, FaultSink const& sink
);

/// What lies in the database beside the records (accounts), which no chain holds together, and
/// whether a manager would open it. Fails with Storage only.
core::Result<void> check_tables(std::filesystem::path const& data, FaultSink const& sink);

} // namespace cpm::replay
