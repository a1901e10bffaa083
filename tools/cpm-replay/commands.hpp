#pragma once

#include "core/result.hpp"
#include "eventstore/rocksdb_reader.hpp"
#include "tools/cpm-replay/options.hpp"

namespace cpm::replay {

/// A command's exit code, or why the log cannot be read (Corrupt, Storage) or what was asked for
/// does not exist in it (NotFound: wrong usage).
using Outcome = core::Result<int>;

Outcome show_log(eventstore::RocksDbReader& log, Options const& options);
Outcome show_state(eventstore::EventReader const& log, Options const& options);
Outcome show_transitions(eventstore::EventReader const& log, Options const& options);
Outcome verify(eventstore::RocksDbReader& log, Options const& options);

} // namespace cpm::replay
