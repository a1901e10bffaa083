#include "projections/notifications.hpp"

#include "core/status_table.hpp"
#include "projections/notification_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cpm::projections {
namespace {

using enum NotificationKind;

constexpr std::string_view kIdPrefix = "ntf_";

constexpr NotificationKind kStatusKinds[] = {Crashed, Unknown, StartupDelayed, ShutdownDelayed};
constexpr NotificationKind kEventKinds[] = {Adopted, Withdrawn, SetAside};

/// The kind that tells of a status, if people are told of it at all.
std::optional<NotificationKind> kind_of(core::ActualStatus status) {
    using Status = core::ActualStatus;
    switch (status) {
    case Status::Crashed: return Crashed;
    case Status::Unknown: return Unknown;
    case Status::StartupDelayed: return StartupDelayed;
    case Status::ShutdownDelayed: return ShutdownDelayed;
    case Status::On:
    case Status::Off:
    case Status::Starting:
    case Status::BeforeStopping:
    case Status::Stopping:
    case Status::ManuallyOn: return std::nullopt;
    }
    return std::nullopt;
}

/// An Unknown that is nobody's trouble: never reported (1.2), or ON asked for while it was still
/// going down, whose next heartbeat settles it (1.3).
bool is_quiet(core::ServerState const& state) {
    if (state.actual != core::ActualStatus::Unknown)
        return false;
    return !state.last_heartbeat ||
           (core::standby_is_open(state) && core::classify(state).rule == "ON/Stopping/ON");
}

} // namespace

NotificationChanges
Notifications::apply_decision(std::span<core::Event const> decision, core::Fleet const& after) {
    NotificationChanges changes;
    for (auto const& event : decision)
        apply(event, after, changes);
    if (!decision.empty() && decision.front().server)
        conclude(decision, after, changes);
    return changes;
}

std::vector<Notification const*> Notifications::items() const {
    std::vector<Notification const*> items;
    items.reserve(shown_.size());
    for (auto const& [key, notification] : shown_)
        items.push_back(&notification);
    return items;
}

Notification const* Notifications::find(std::string_view id) const {
    auto const it = find_shown(id);
    return it == shown_.end() ? nullptr : &it->second;
}

Notifications::Shown::const_iterator Notifications::find_shown(std::string_view id) const {
    if (!id.starts_with(kIdPrefix))
        return shown_.end();
    core::Sequence raised_by;
    auto const* const digits = id.data() + kIdPrefix.size();
    std::from_chars(digits, id.data() + id.size(), raised_by.value);
    for (auto it = shown_.lower_bound(Key{raised_by, {}});
         it != shown_.end() && it->first.raised_by == raised_by;
         ++it)
        if (it->second.id == id)
            return it;
    return shown_.end();
}

Notifications::Standing*
Notifications::find_standing(core::ServerId server, NotificationKind kind) {
    auto const it = standing_.find(server);
    if (it == standing_.end())
        return nullptr;
    for (auto& standing : it->second)
        if (standing.key.kind == kind)
            return &standing;
    return nullptr;
}

void Notifications::raise(
    NotificationKind kind,
    core::Event const& event,
    core::Fleet const& after,
    NotificationChanges& changes
) {
    auto const* const server = after.find(event.server);
    if (!server)
        return;
    clear(event.server, kind, changes);
    auto notification = compose(kind, *server, after.settings);
    notification.id = fmt::format("{}{}_{}", kIdPrefix, event.sequence.value, to_string(kind));
    notification.since = event.at;
    changes.shown.push_back(notification.id);
    Key const key{event.sequence, kind};
    shown_.emplace(key, std::move(notification));
    standing_[event.server].push_back({key});
}

void Notifications::clear(
    core::ServerId server, NotificationKind kind, NotificationChanges& changes
) {
    auto const* const standing = find_standing(server, kind);
    if (!standing)
        return;
    auto const key = standing->key;
    if (auto const it = shown_.find(key); it != shown_.end()) {
        changes.cleared.push_back(it->second.id);
        shown_.erase(it);
    }
    auto const all = standing_.find(server);
    std::erase_if(all->second, [&](Standing const& one) { return one.key == key; });
    if (all->second.empty())
        standing_.erase(all);
}

void Notifications::dismiss(std::string_view id, NotificationChanges& changes) {
    auto const it = find_shown(id);
    if (it == shown_.end())
        return; // it went before it was dismissed
    for (auto const server : it->second.server_ids)
        if (auto* const standing = find_standing(server, it->first.kind))
            standing->dismissed = true;
    changes.cleared.push_back(it->second.id);
    shown_.erase(it);
}

/// What an event itself raises or ends.
void Notifications::apply(
    core::Event const& event, core::Fleet const& after, NotificationChanges& changes
) {
    if (auto const* adopted = std::get_if<core::PowerAdopted>(&event.payload)) {
        if (adopted->notify)
            raise(Adopted, event, after, changes);
    } else if (std::holds_alternative<core::PowerWithdrawn>(event.payload)) {
        raise(Withdrawn, event, after, changes);
    } else if (std::holds_alternative<core::AgentSetAside>(event.payload)) {
        raise(SetAside, event, after, changes);
    } else if (std::holds_alternative<core::PowerRequested>(event.payload)) {
        clear(event.server, Adopted, changes);
        clear(event.server, Withdrawn, changes);
    } else if (std::holds_alternative<core::AgentJoined>(event.payload) ||
               std::holds_alternative<core::AgentReinstated>(event.payload)) {
        clear(event.server, SetAside, changes);
    } else if (auto const* gone = std::get_if<core::NotificationDismissed>(&event.payload)) {
        dismiss(gone->notification_id, changes);
    }
}

/// What the status after the whole decision raises or ends.
void Notifications::conclude(
    std::span<core::Event const> decision, core::Fleet const& after, NotificationChanges& changes
) {
    auto const id = decision.front().server;
    auto const* const server = after.find(id);
    auto const wanted = server ? kind_of(server->state.actual) : std::nullopt;
    bool const is_trouble = wanted && !is_quiet(server->state);
    if (silence_.hear(decision, after, is_trouble))
        tell_of_many(decision.back(), after, changes);
    if (!server) {
        for (auto const kind : kEventKinds)
            clear(id, kind, changes);
        for (auto const kind : kStatusKinds)
            clear(id, kind, changes);
        return;
    }

    for (auto const kind : kStatusKinds)
        if (kind != wanted)
            clear(id, kind, changes);
    if (!wanted || silence_.covers(id))
        return;
    auto const* const standing = find_standing(id, *wanted);
    if (standing && standing->dismissed)
        return;
    if (!is_trouble)
        clear(id, *wanted, changes);
    else if (!standing)
        raise(*wanted, decision.back(), after, changes);
    else if (server->changed >= decision.front().sequence) // routine heartbeats say nothing new
        refresh(standing->key, *server, after, changes);
}

/// One notification for all that fell silent at once, in the place of theirs.
void Notifications::tell_of_many(
    core::Event const& event, core::Fleet const& after, NotificationChanges& changes
) {
    std::vector<core::Server const*> servers;
    for (auto const id : silence_.covered()) {
        servers.push_back(after.find(id));
        for (auto const kind : kStatusKinds)
            clear(id, kind, changes);
    }
    bool const is_new = !many_;
    if (is_new)
        many_ = Key{event.sequence, SilenceOfMany};
    auto const shown = shown_.find(*many_);
    if (servers.empty()) {
        if (shown != shown_.end()) {
            changes.cleared.push_back(shown->second.id);
            shown_.erase(shown);
        }
        many_.reset();
        return;
    }
    if (!is_new && shown == shown_.end())
        return; // dismissed
    auto notification = compose_many(servers, after.settings);
    notification.id =
        fmt::format("{}{}_{}", kIdPrefix, many_->raised_by.value, to_string(SilenceOfMany));
    notification.since = is_new ? event.at : shown->second.since;
    changes.shown.push_back(notification.id);
    shown_.insert_or_assign(*many_, std::move(notification));
}

void Notifications::refresh(
    Key key, core::Server const& server, core::Fleet const& after, NotificationChanges& changes
) {
    auto now = compose(key.kind, server, after.settings);
    auto& shown = shown_.at(key);
    if (shown.text == now.text && shown.actions == now.actions)
        return;
    shown.text = std::move(now.text);
    shown.actions = std::move(now.actions);
    changes.shown.push_back(shown.id);
}

} // namespace cpm::projections
