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
Outcome explain(eventstore::EventReader const& log, Options const& options);
Outcome step(eventstore::EventReader const& log, Options const& options);
Outcome diff_moments(eventstore::EventReader const& log, Options const& options);
Outcome diff_logs(
    eventstore::EventReader const& first,
    eventstore::EventReader const& second,
    Options const& options
);
Outcome what_if(eventstore::EventReader const& log, Options const& options);
Outcome verify(eventstore::RocksDbReader& log, Options const& options);
/// The target is options.path.
Outcome backup(Options const& options);
Outcome restore(Options const& options);
Outcome export_log(eventstore::EventReader const& log, Options const& options);
Outcome import_log(Options const& options);
Outcome show_stats(eventstore::EventReader const& log, Options const& options);

} // namespace cpm::replay
