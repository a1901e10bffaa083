#pragma once

#include "core/decide.hpp"
#include "core/event.hpp"
#include "core/fleet.hpp"

#include <span>
#include <vector>

namespace cpm::core {

/// What all events of one decision share.
struct Provenance {
    WallTime at;
    Actor actor;
    Sequence cause;
};

/// Turns what was decided into events: numbers them from `head` + 1, lets the fleet evolve through
/// each, stamps the status the server has after the decision on all of them, and appends them to
/// `batch`. With the setting release_standby_when_settled a StandbyReleased joins the decision.
/// Returns the decision's events within `batch` (valid until it grows); none for an empty decision.
std::span<Event const> record(
    Fleet& fleet,
    ServerId server,
    Payloads&& payloads,
    Provenance const& provenance,
    Sequence head,
    std::vector<Event>& batch
);

} // namespace cpm::core
