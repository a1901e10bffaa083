#pragma once

#include "core/event.hpp"
#include "eventstore/event_log.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// One event of each type, in the variant's order, with every field set to something that is not
/// its default. Literals.
std::vector<cpm::core::Event> one_of_each();

/// A short event about `server` (0: about the process) numbered `sequence`.
cpm::core::Event simple_event(std::uint64_t sequence, std::uint64_t server = 0);

/// `count` of them after `after`, about servers 1, 2, 3, 1, 2, …
std::vector<cpm::core::Event> simple_events(std::uint64_t after, std::uint64_t count);

/// Appends `count` simple events after the head; returns the error's text, empty when it went well.
std::string append_simple(cpm::eventstore::EventLog& log, std::uint64_t count);

/// What read() visits, and the text of its error (empty: none).
std::pair<std::vector<cpm::core::Event>, std::string> read_all(
    cpm::eventstore::EventReader const& log, std::uint64_t first = 1, std::uint64_t last = ~0ull
);
