#pragma once

#include "eventstore/event_log.hpp"
#include "tools/cpm-replay/interruption.hpp"

namespace cpm::replay {

/// Visits the events of a range in order, as EventReader::read does, until the visitor returns
/// false or a signal asks to stop. `progress`: shown on standard error when the log is long;
/// `expected_end`: about where the visitor will end, if that is before `last`.
core::Result<void> walk(
    eventstore::EventReader const& log,
    core::Sequence first,
    core::Sequence last,
    bool progress,
    eventstore::EventVisitor const& visit,
    std::optional<core::Sequence> expected_end = {}
);

} // namespace cpm::replay
