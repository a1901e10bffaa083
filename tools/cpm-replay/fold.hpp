#pragma once

#include "core/fleet.hpp"
#include "eventstore/event_log.hpp"
#include "tools/cpm-replay/options.hpp"

#include <optional>

namespace cpm::replay {

/// The fold of the log up to a moment.
struct Then {
    core::Fleet fleet;
    core::Sequence sequence; ///< the last event in it
    core::Sequence decision; ///< that event's
    core::WallTime now{};    ///< from which open standby times are counted

    /// Takes one more event in.
    void take(core::Event const& event);
    /// Whether this event lies behind the moment. A decision is taken whole.
    bool is_behind(core::Event const& event, std::optional<Moment> const& at) const;
    /// A moment that is a time is where standby times are counted from.
    void end(std::optional<Moment> const& at);
};

/// NotFound, naming the moment, when the log ends before it (a time may lie behind its end).
core::Result<void>
check_moment(eventstore::EventReader const& log, std::optional<Moment> const& at);

/// Folds the log up to the moment (none: its end); reads no further.
core::Result<Then> fold_to(eventstore::EventReader const& log, std::optional<Moment> const& at);

/// Says on standard error when routine heartbeats of that moment may be missing.
void note_compacted(eventstore::EventReader const& log, Then const& then);

/// What is left of a server's open standby time at `now`; zero when none is open.
core::milliseconds standby_remaining(core::Server const& server, core::WallTime now);

/// The servers in the order of their names.
std::vector<core::Server const*> by_name(core::Fleet const& fleet);

} // namespace cpm::replay
