#pragma once

#include "core/actor.hpp"
#include "core/fleet.hpp"
#include "core/settings.hpp"
#include "core/time.hpp"

#include <string>

namespace cpm::projections {

/// Why a server has the status it has: the row or rule, and its evidence.
struct Reason {
    /// "OFF/ON/Stopping", "S", "A", "B", "adopted" (status model 1.3, 1.4).
    std::string rule;
    /// Plain English: a sentence that names times in UTC, people and what to expect next; a further
    /// one for each thing that stands in the way (a veto, an agent that cannot check signatures).
    std::string text;
    bool operator==(Reason const&) const = default;
};

/// Explains the status the server has now. `settings` give what its configuration leaves open.
Reason explain(core::Server const& server, core::Settings const& settings);

/// Who, within a sentence: "alice", "the API token backup", "its agent".
std::string name_of(core::Actor const& actor);

/// When, within a sentence, to the second: "2026-11-21 09:00:00 UTC".
std::string moment_of(core::WallTime time);

} // namespace cpm::projections
