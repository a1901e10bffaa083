#pragma once

#include "core/fleet.hpp"

#include <string>
#include <vector>

namespace cpm::replay {

/// One field of a server (by the API's name, or the status model's) that became another.
struct Change {
    std::string field;
    std::string before; ///< empty: there was none
    std::string after;
    bool operator==(Change const&) const = default;
};

/// What is compared.
enum class Detail {
    Everything,
    NotRoutine, ///< without what each heartbeat changes: its number and its time
};

/// The fields in which two states of one server differ, the status first. A server that is not
/// there (null) has no value in any field.
std::vector<Change>
changes_between(core::Server const* before, core::Server const* after, Detail detail);

/// The settings in which two fleets differ, and their epoch.
std::vector<Change> changes_between(core::Fleet const& before, core::Fleet const& after);

} // namespace cpm::replay
