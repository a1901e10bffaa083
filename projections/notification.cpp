#include "projections/notification.hpp"

#include <boost/json/array.hpp>

namespace cpm::projections {

std::string_view to_string(NotificationKind kind) {
    switch (kind) {
    case NotificationKind::Crashed: return "crashed";
    case NotificationKind::Unknown: return "unknown";
    case NotificationKind::StartupDelayed: return "startup_delayed";
    case NotificationKind::ShutdownDelayed: return "shutdown_delayed";
    case NotificationKind::Adopted: return "adopted";
    case NotificationKind::Withdrawn: return "withdrawn";
    case NotificationKind::SetAside: return "set_aside";
    case NotificationKind::SilenceOfMany: return "silence_of_many";
    }
    return "";
}

std::string_view to_string(Severity severity) {
    switch (severity) {
    case Severity::Info: return "info";
    case Severity::Warning: return "warning";
    case Severity::Error: return "error";
    }
    return "";
}

std::string_view to_string(NotificationAction action) {
    switch (action) {
    case NotificationAction::SetOff: return "set_off";
    case NotificationAction::WakeAgain: return "wake_again";
    case NotificationAction::Reinstate: return "reinstate";
    case NotificationAction::Dismiss: return "dismiss";
    }
    return "";
}

boost::json::object to_json(Notification const& notification) {
    boost::json::array servers;
    for (auto const server : notification.server_ids)
        servers.emplace_back(core::to_string(server));
    boost::json::array actions;
    for (auto const action : notification.actions)
        actions.emplace_back(to_string(action));
    return {
        {"id", notification.id},
        {"kind", to_string(notification.kind)},
        {"severity", to_string(notification.severity)},
        {"server_ids", std::move(servers)},
        {"text", notification.text},
        {"since", core::to_rfc3339(notification.since)},
        {"actions", std::move(actions)},
    };
}

} // namespace cpm::projections
