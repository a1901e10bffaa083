#include "tools/cpm-replay/statistics.hpp"

#include "core/evolve.hpp"

#include <algorithm>

namespace cpm::replay {
namespace {

Microseconds between(core::WallTime from, core::WallTime to) {
    return std::max(to - from, Microseconds(0));
}

void keep_slowest(std::vector<SettlingTime>& slowest, SettlingTime const& time) {
    auto const slower = [](SettlingTime const& a, SettlingTime const& b) {
        return a.took > b.took;
    };
    slowest.insert(std::ranges::upper_bound(slowest, time, slower), time);
    if (slowest.size() > Statistics::kSlowest)
        slowest.pop_back();
}

} // namespace

Statistics::Statistics(core::Sequence compacted)
    : compacted_(compacted)
    , decisions_([this](std::span<core::Event const> decision) { judge(decision); })
    , by_type_(core::type_names().size()) {}

void Statistics::judge(std::span<core::Event const> decision) {
    for (auto const& event : decision) {
        if (last_at_ == core::WallTime())
            first_at_ = event.at;
        last_at_ = std::max(last_at_, event.at);
        ++by_type_[event.payload.index()];
        names_.note(event);
        evolve(fleet_, event);
        if (!event.server)
            continue;
        auto& figures = servers_[event.server];
        ++figures.events;
        note_heartbeat(event, figures, running_[event.server]);
    }
    auto const& last = decision.back();
    if (last.server)
        note_status(last, fleet_.find(last.server));
}

void Statistics::note_heartbeat(
    core::Event const& event, ServerFigures& figures, Running& running
) {
    if (std::holds_alternative<core::HeartbeatLost>(event.payload)) {
        ++figures.losses;
        running.heartbeat.reset();
    }
    if (!std::holds_alternative<core::HeartbeatReceived>(event.payload))
        return;
    ++figures.heartbeats;
    if (running.heartbeat) {
        auto const gap = between(*running.heartbeat, event.at);
        ++figures.gaps;
        figures.all_gaps += gap;
        if (gap > figures.longest_gap) {
            figures.longest_gap = gap;
            figures.longest_gap_at = *running.heartbeat;
        }
    }
    running.heartbeat.reset();
    if (event.sequence > compacted_)
        running.heartbeat = event.at;
}

void Statistics::note_status(core::Event const& event, core::Server const* server) {
    auto& running = running_[event.server];
    bool const was_there = running.since != core::WallTime();
    bool const changed = !server || !was_there || server->state.actual != running.status;
    if (!changed)
        return;
    if (was_there)
        servers_[event.server].in_status[std::size_t(running.status)] +=
            between(running.since, event.at);
    running.since = server ? event.at : core::WallTime();
    if (!server)
        return;
    running.status = server->state.actual;
    note_settled(event, *server, running);
}

void Statistics::note_settled(
    core::Event const& event, core::Server const& server, Running& running
) {
    auto const& request = server.state.request;
    if (!request || request->sequence == running.timed)
        return;
    bool const is_on = request->target == core::PowerStatus::On;
    auto const wanted = is_on ? core::ActualStatus::On : core::ActualStatus::Off;
    if (server.state.actual != wanted)
        return;
    running.timed = request->sequence;
    SettlingTime const time{
        event.server,
        request->sequence,
        server.requested_at,
        between(server.requested_at, event.at)};
    keep_slowest(is_on ? starts_ : stops_, time);
}

void Statistics::end() {
    decisions_.flush();
    for (auto& [id, running] : running_)
        if (running.since != core::WallTime())
            servers_[id].in_status[std::size_t(running.status)] += between(running.since, last_at_);
}

} // namespace cpm::replay
