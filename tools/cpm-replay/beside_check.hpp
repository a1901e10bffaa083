#pragma once

#include "eventstore/rocksdb_reader.hpp"
#include "eventstore/side_files.hpp"
#include "tools/cpm-replay/fault.hpp"

namespace cpm::replay {

/// The head witness, and whether RocksDB's list of files is the one that was noted. Returns the
/// witness, if there is one that can be read.
std::optional<eventstore::Head>
check_witness_files(eventstore::SideFiles const& files, FaultSink const& sink);

/// A log that was opened although it had lost records is at fault until an administrator accepts
/// that.
void check_rollback(
    eventstore::SideFiles const& files, eventstore::Head const& head, FaultSink const& sink
);

/// Reads all that is kept beside the events in the database (accounts, idempotency keys, webhooks),
/// which no chain holds together. Corrupt when some of it cannot be read.
core::Result<void> read_tables(eventstore::EventReader const& log);

/// The same as a fault. Fails with Storage only.
core::Result<void> check_tables(eventstore::EventReader const& log, FaultSink const& sink);

} // namespace cpm::replay
