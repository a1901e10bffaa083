#pragma once

#include "eventstore/event_log.hpp"
#include "tools/cpm-replay/options.hpp"

#include <filesystem>
#include <string_view>

namespace cpm::replay {

/// Says that a log was made, and which: "backed up to", a directory, and the log's head; json and
/// ndjson the same as one object.
void tell_copied(
    std::string_view what,
    std::filesystem::path const& where,
    eventstore::Head const& head,
    Output output
);

} // namespace cpm::replay
