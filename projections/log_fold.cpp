#include "projections/log_fold.hpp"

#include "core/evolve.hpp"
#include "projections/server_history.hpp"

#include <utility>

namespace cpm::projections {

NotificationChanges LogFold::apply(core::Event const& event) {
    // A decision's notifications follow from the fleet as that decision left it.
    NotificationChanges changes;
    if (!open_decision_.empty() && open_decision_.front().decision != event.decision)
        changes = conclude();
    core::evolve(fleet_, event);
    sign_ins_.apply(event);
    note_recent(event);
    open_decision_.push_back(event);
    sequence_ = event.sequence;
    return changes;
}

NotificationChanges LogFold::conclude() {
    if (open_decision_.empty())
        return {};
    auto changes = notifications_.apply_decision(open_decision_, fleet_);
    raised_.apply_decision(open_decision_, changes, notifications_, fleet_);
    open_decision_.clear();
    return changes;
}

void LogFold::note_recent(core::Event const& event) {
    if (concerns_all_servers(event))
        common_.push_back(event);
    auto const* server = fleet_.find(event.server);
    if (!server) {
        recent_.erase(event.server);
        return;
    }
    if (server->changed != event.sequence)
        return; // a routine heartbeat
    auto& recent = recent_[server->id];
    recent.push_back(event.sequence);
    if (recent.size() > kRecent)
        recent.pop_front();
}

std::vector<core::Sequence> LogFold::recent_events(core::ServerId server) const {
    auto const found = recent_.find(server);
    if (found == recent_.end())
        return {};
    return {found->second.begin(), found->second.end()};
}

} // namespace cpm::projections
