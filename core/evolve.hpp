#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "core/server_state.hpp"

namespace cpm::core {

/// What one event does to one server's state (status model 1.4), then its status is concluded anew.
/// Total: an event that does not apply (another heartbeat's loss, an earlier request's deadline)
/// changes nothing. No clock, no rule beyond the table and the effects; replay is a fold of this.
void evolve(ServerState& state, Sequence sequence, Payload const& payload);

/// The same for the whole fleet: servers come and go, settings change, the event's server evolves.
void evolve(Fleet& fleet, Event const& event);

/// Whether a heartbeat left everything but report numbers and times as it was.
bool is_routine(ServerState before, ServerState const& after);

} // namespace cpm::core
