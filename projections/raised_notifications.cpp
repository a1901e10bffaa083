#include "projections/raised_notifications.hpp"

#include <charconv>

namespace cpm::projections {
namespace {

/// "ntf_<sequence of the event that raised it>_<kind>"
core::Sequence raised_by(std::string_view id) {
    core::Sequence sequence;
    auto const first = std::min(id.find('_') + 1, id.size());
    std::from_chars(id.data() + first, id.data() + id.size(), sequence.value);
    return sequence;
}

void say(Raised& raised, Notification const& notification, core::Fleet const& after) {
    raised.notification = notification;
    raised.server_names.clear();
    for (auto const id : notification.server_ids) {
        auto const* const server = after.find(id);
        raised.server_names.push_back(server ? server->config.name : std::string());
    }
}

} // namespace

void RaisedNotifications::apply_decision(
    std::span<core::Event const> decision,
    NotificationChanges const& changes,
    Notifications const& notifications,
    core::Fleet const& after
) {
    for (auto const& id : changes.cleared) {
        auto* const known = find(id);
        if (!known)
            continue;
        auto const stood = decision.back().at - known->notification.since;
        known->went_at_once = stood >= stood.zero() && stood < kSettle;
    }
    for (auto const& id : changes.shown) {
        auto const* const notification = notifications.find(id);
        if (!notification)
            continue;
        if (auto* const known = find(id)) {
            say(*known, *notification, after);
            continue;
        }
        auto const sequence = raised_by(id);
        if (sequence < decision.front().sequence)
            continue; // so old that it is forgotten here
        auto raised = std::make_shared<Raised>();
        raised->raised_by = sequence;
        say(*raised, *notification, after);
        items_.push_back(std::move(raised));
        ++count_;
        if (items_.size() > kMost)
            items_.pop_front();
    }
}

Raised* RaisedNotifications::find(std::string_view id) const {
    for (auto it = items_.rbegin(); it != items_.rend(); ++it)
        if ((*it)->notification.id == id)
            return it->get();
    return nullptr;
}

} // namespace cpm::projections
