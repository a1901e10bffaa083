// What notifications say and offer: what happened, why, and the next step (status model 1.6).
#include "projections/notification_text.hpp"

#include "projections/explanation.hpp"

#include <fmt/format.h>

namespace cpm::projections {
namespace {

using core::HeartbeatStatus;
using core::Server;
using enum NotificationAction;

Severity severity_of(NotificationKind kind) {
    switch (kind) {
    case NotificationKind::Crashed:
    case NotificationKind::SilenceOfMany: return Severity::Error;
    case NotificationKind::Adopted: return Severity::Info;
    case NotificationKind::Unknown:
    case NotificationKind::StartupDelayed:
    case NotificationKind::ShutdownDelayed:
    case NotificationKind::Withdrawn:
    case NotificationKind::SetAside: return Severity::Warning;
    }
    return Severity::Warning;
}

struct NextStep {
    std::string_view text;
    std::vector<NotificationAction> actions;
};

bool is_silent(Server const& server) {
    return server.state.current == HeartbeatStatus::None;
}

NextStep after_unknown(Server const& server) {
    if (is_silent(server))
        return {
            "Look at the machine: set OFF if it is off, or wake it again.",
            {SetOff, WakeAgain, Dismiss}};
    return {"Set OFF if it is to go off.", {SetOff, Dismiss}};
}

NextStep after_startup_delayed(Server const& server) {
    if (server.config.mac_addresses.empty())
        return {"Turn it on by hand, or set OFF if it is to stay off.", {SetOff, Dismiss}};
    return {
        "Check its power and its network, then wake it again, or set OFF if it is to stay off.",
        {WakeAgain, SetOff, Dismiss}};
}

NextStep next_step(NotificationKind kind, Server const& server) {
    switch (kind) {
    case NotificationKind::Crashed:
        return {
            "Set OFF if you powered it down by hand, or wake it again.",
            {SetOff, WakeAgain, Dismiss}};
    case NotificationKind::Unknown: return after_unknown(server);
    case NotificationKind::StartupDelayed: return after_startup_delayed(server);
    case NotificationKind::ShutdownDelayed:
        return {"Look at what it waits for, and set OFF to ask again.", {SetOff, Dismiss}};
    case NotificationKind::Adopted: return {"Set OFF if it is still to go off.", {SetOff, Dismiss}};
    case NotificationKind::Withdrawn: return {"Ask again if it is still wanted.", {Dismiss}};
    case NotificationKind::SetAside:
        return {
            "Find the other machine (a clone, a restored disk), then join the agent again or "
            "reinstate it.",
            {Reinstate, Dismiss}};
    case NotificationKind::SilenceOfMany:
        return {"Look at the manager's own network first.", {Dismiss}};
    }
    return {};
}

/// Why a server whose OFF stood is ON: what it had reported before it reported ON.
std::string_view why_on(HeartbeatStatus before) {
    switch (before) {
    case HeartbeatStatus::On: return "it reported ON from another boot before it had gone down";
    case HeartbeatStatus::Stopping: return "it was going down and reported ON again";
    case HeartbeatStatus::None: return "it had fallen silent and reported ON again";
    }
    return "";
}

/// As a person says it.
std::string_view is_what(NotificationKind kind) {
    switch (kind) {
    case NotificationKind::Crashed: return "is Crashed";
    case NotificationKind::Unknown: return "is Unknown";
    case NotificationKind::StartupDelayed: return "is late to start";
    case NotificationKind::ShutdownDelayed: return "is late to shut down";
    case NotificationKind::Adopted:
    case NotificationKind::Withdrawn:
    case NotificationKind::SetAside:
    case NotificationKind::SilenceOfMany: break;
    }
    return "";
}

std::string
what_happened(NotificationKind kind, Server const& server, core::Settings const& settings) {
    auto const& name = server.config.name;
    auto const& state = server.state;
    switch (kind) {
    case NotificationKind::Crashed:
    case NotificationKind::Unknown:
    case NotificationKind::StartupDelayed:
    case NotificationKind::ShutdownDelayed:
        return fmt::format("{} {}. {}", name, is_what(kind), explain(server, settings).text);
    case NotificationKind::Adopted:
        // The request itself is gone; who made it and when is still known until the next one.
        return fmt::format(
            "{}: OFF of {} ({}): it is ON, because {}.",
            name,
            moment_of(server.requested_at),
            name_of(server.requested_by),
            why_on(state.previous)
        );
    case NotificationKind::Withdrawn:
        return fmt::format(
            "{}: the power request that {} made at {} could not be stored and was never "
            "acknowledged, so it was taken back. Its power status is {}, as before.",
            name,
            name_of(server.requested_by),
            moment_of(server.requested_at),
            core::to_string(state.power)
        );
    case NotificationKind::SetAside:
        return fmt::format(
            "{}: two machines report as this server, so its agent was set aside: it is told ON "
            "and OFF is refused.",
            name
        );
    case NotificationKind::SilenceOfMany:
        return fmt::format("{} fell silent together with many others.", name);
    }
    return "";
}

} // namespace

Notification
compose(NotificationKind kind, core::Server const& server, core::Settings const& settings) {
    auto step = next_step(kind, server);
    if (server.state.set_aside) // it would be refused
        std::erase(step.actions, SetOff);
    return {
        .id = {},
        .kind = kind,
        .severity = severity_of(kind),
        .server_ids = {server.id},
        .text = fmt::format("{} {}", what_happened(kind, server, settings), step.text),
        .since = {},
        .actions = std::move(step.actions),
    };
}

Notification
compose_many(std::span<core::Server const* const> servers, core::Settings const& settings) {
    constexpr std::size_t kMostNames = 10;
    auto notification = compose(NotificationKind::SilenceOfMany, *servers.front(), settings);
    notification.server_ids.clear();
    std::string names;
    for (auto const* const server : servers) {
        notification.server_ids.push_back(server->id);
        if (notification.server_ids.size() <= kMostNames)
            names += (names.empty() ? "" : ", ") + server->config.name;
    }
    if (servers.size() > kMostNames)
        names += fmt::format(" and {} more", servers.size() - kMostNames);
    notification.text = fmt::format(
        "Many servers fell silent at once: {}. So many at once are more likely the manager's "
        "trouble "
        "than theirs. {}",
        names,
        next_step(NotificationKind::SilenceOfMany, *servers.front()).text
    );
    return notification;
}

} // namespace cpm::projections
