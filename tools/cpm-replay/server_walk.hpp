#pragma once

#include "eventstore/event_log.hpp"

#include <vector>

namespace cpm::replay {

// By index: one server of a large log is a small part of it.

/// "The server" whose events concern the fleet as a whole (EventReader::read_server).
inline constexpr core::ServerId kFleet{0};

/// Visits the events of several servers in the log's order, found by index: the rest of the log is
/// not read. Until the visitor returns false or a signal asks to stop. Progress is shown.
/// The chain is not checked; each record is decoded.
core::Result<void> walk_servers(
    eventstore::EventReader const& log,
    std::vector<core::ServerId> const& servers,
    core::Sequence first,
    core::Sequence last,
    eventstore::EventVisitor const& visit
);

} // namespace cpm::replay
