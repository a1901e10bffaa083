#include "http/read_model.hpp"

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

void ReadModel::load(projections::LogFold&& fold) {
    fold_ = std::move(fold);
    head_.sequence = fold_.sequence();
}

void ReadModel::load(core::Event const& event) {
    (void)fold_.apply(event);
    head_.sequence = event.sequence;
}

void ReadModel::load(eventstore::RecordChange const& record) {
    // A damaged record of the history opens nothing here, and the engine, which reads it too,
    // refuses to start.
    (void)accounts_.apply(record);
}

void ReadModel::loaded(core::Now now) {
    (void)fold_.conclude();
    head_.epoch = fleet().epoch;
    for (auto const& [id, server] : fleet().servers) {
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
        append(applied.notifications, fold_.apply(event));
        note_standby(event, publication.now.mono);
    }
    append(applied.notifications, fold_.conclude());
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

void ReadModel::note_standby(core::Event const& event, core::MonoTime now) {
    if (auto const* requested = std::get_if<core::PowerRequested>(&event.payload))
        standby_ends_.insert_or_assign(event.server, now + requested->standby);
    else if (std::holds_alternative<core::ServerRemoved>(event.payload))
        standby_ends_.erase(event.server);
}

} // namespace cpm::http
