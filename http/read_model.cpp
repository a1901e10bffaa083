#include "http/read_model.hpp"

#include "core/evolve.hpp"
#include "projections/server_history.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace cpm::http {
namespace {

void append(projections::NotificationChanges& all, projections::NotificationChanges&& more) {
    std::ranges::move(more.shown, std::back_inserter(all.shown));
    std::ranges::move(more.cleared, std::back_inserter(all.cleared));
}

} // namespace

void ReadModel::load(core::Event const& event) {
    evolve(event);
    head_.sequence = event.sequence;
}

void ReadModel::load(eventstore::RecordChange const& record) {
    // A damaged record of the history opens nothing here, and the engine, which reads it too,
    // refuses to start.
    (void)accounts_.apply(record);
}

void ReadModel::loaded(core::Now now) {
    conclude();
    head_.epoch = fleet_.epoch;
    for (auto const& [id, server] : fleet_.servers) {
        if (!core::standby_is_open(server.state))
            continue;
        auto const ends = server.requested_at + server.standby;
        auto const left = std::clamp<core::MonoClock::duration>(
            ends - now.wall, core::MonoClock::duration::zero(), server.standby
        );
        standby_ends_.insert_or_assign(id, now.mono + left);
    }
}

void ReadModel::apply(manager::Publication const& publication) {
    Applied applied{publication, {}};
    for (auto const& event : publication.events) {
        append(applied.notifications, evolve(event));
        note_standby(event, publication.now.mono);
    }
    append(applied.notifications, conclude());
    for (auto const& change : publication.changes)
        load(change);
    for (auto const& [relay, asks] : publication.wake_asks) {
        if (asks.empty())
            wake_asks_.erase(relay);
        else
            wake_asks_.insert_or_assign(relay, asks);
    }
    head_ = publication.head;
    for (auto const& observer : observers_)
        observer(applied);
}

std::vector<manager::WakeAsk> ReadModel::wake_asks(core::ServerId relay, core::MonoTime now) const {
    auto const found = wake_asks_.find(relay);
    return found == wake_asks_.end() ? std::vector<manager::WakeAsk>{}
                                     : manager::handed_out(found->second, now);
}

core::milliseconds
ReadModel::standby_remaining(core::Server const& server, core::MonoTime now) const {
    if (!core::standby_is_open(server.state))
        return {};
    auto const found = standby_ends_.find(server.id);
    if (found == standby_ends_.end() || found->second <= now)
        return {};
    return std::chrono::ceil<core::milliseconds>(found->second - now);
}

std::vector<core::Sequence> ReadModel::recent_events(core::ServerId server) const {
    auto const found = recent_.find(server);
    if (found == recent_.end())
        return {};
    return {found->second.begin(), found->second.end()};
}

projections::NotificationChanges ReadModel::evolve(core::Event const& event) {
    // A decision's notifications follow from the fleet as that decision left it.
    projections::NotificationChanges changes;
    if (!open_decision_.empty() && open_decision_.front().decision != event.decision)
        changes = conclude();
    core::evolve(fleet_, event);
    note_recent(event);
    open_decision_.push_back(event);
    return changes;
}

void ReadModel::note_recent(core::Event const& event) {
    if (projections::concerns_all_servers(event))
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

void ReadModel::note_standby(core::Event const& event, core::MonoTime now) {
    if (auto const* requested = std::get_if<core::PowerRequested>(&event.payload))
        standby_ends_.insert_or_assign(event.server, now + requested->standby);
    else if (std::holds_alternative<core::ServerRemoved>(event.payload))
        standby_ends_.erase(event.server);
}

projections::NotificationChanges ReadModel::conclude() {
    if (open_decision_.empty())
        return {};
    auto changes = notifications_.apply_decision(open_decision_, fleet_);
    raised_.apply_decision(open_decision_, changes, notifications_, fleet_);
    open_decision_.clear();
    return changes;
}

} // namespace cpm::http
