#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"

#include <boost/json/object.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::projections {

/// What people are told of (status model 1.4, 1.6).
enum class NotificationKind : std::uint8_t {
    Crashed,
    Unknown,
    StartupDelayed,
    ShutdownDelayed,
    Adopted,       ///< an OFF stood, and the server is ON
    Withdrawn,     ///< a power request was not acknowledged, so it was taken back
    SetAside,      ///< two machines report as one server
    SilenceOfMany, ///< more likely the manager's trouble than theirs
};

enum class Severity : std::uint8_t { Info, Warning, Error };

/// What the notification offers. For servers these are power requests like any other, so a
/// standby time or a guard may refuse them.
enum class NotificationAction : std::uint8_t {
    SetOff,    ///< ask for OFF; of a silent server: record that it is off
    WakeAgain, ///< ask for ON, which wakes it
    Reinstate, ///< end the agent's being set aside
    Dismiss,
};

std::string_view to_string(NotificationKind kind);     ///< "startup_delayed"
std::string_view to_string(Severity severity);         ///< "warning"
std::string_view to_string(NotificationAction action); ///< "set_off"

struct Notification {
    /// "ntf_<sequence of the event that raised it>_<kind>": the same in each replay.
    std::string id;
    NotificationKind kind{};
    Severity severity{};
    std::vector<core::ServerId> server_ids;
    std::string text; ///< what happened, why, and the next step
    core::WallTime since;
    std::vector<NotificationAction> actions;
    bool operator==(Notification const&) const = default;
};

/// {id, kind, severity, server_ids, text, since, actions} (HTTP 3.2)
boost::json::object to_json(Notification const& notification);

} // namespace cpm::projections
