#pragma once

#include "core/event.hpp"

#include <string>

namespace cpm::projections {

/// What an event says beside its type, in a few words, as tools and log lines print it; the JSON
/// has all of it.
std::string summarize(core::Payload const& payload);

/// "user:alice", "token:backup", "agent", "timer", "policy".
std::string to_text(core::Actor const& actor);

} // namespace cpm::projections
