#pragma once

#include "core/event.hpp"
#include "core/result.hpp"
#include "eventstore/event_log.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace cpm::eventstore {

// The chain (event log 2.2), the same for every kind of log.

struct NewRecord {
    std::vector<std::uint8_t> bytes;
    core::Hash hash{};
};

/// A batch ready to be stored, and the head it leads to.
struct NewRecords {
    std::vector<NewRecord> records;
    Head head;
};

/// Checks a batch against the head it is to follow and encodes it. Fenced when `after` is not the
/// head's sequence; Validation when the events are not numbered after + 1 on, one does not fit a
/// record, or a RollbackAccepted does not raise the epoch.
core::Result<NewRecords>
chain(Head const& head, core::Sequence after, std::span<core::Event const> events);

/// Decodes the record stored as `sequence`; with `previous`, also checks that it follows the record
/// of that hash. Fails with Corrupt, naming the sequence. The result refers to `bytes`.
core::Result<StoredEvent> open_record(
    core::Sequence sequence, std::span<std::uint8_t const> bytes, core::Hash const* previous
);

/// Whether the index lists the event with this server. With server 0, the fleet: the events of no
/// server, and those that say what a server is called (ServerAdded, ServerUpdated).
bool concerns(core::Event const& event, core::ServerId server);

/// Corrupt: there is no record where one must be.
tl::unexpected<core::Error> missing_record(core::Sequence sequence);

} // namespace cpm::eventstore
