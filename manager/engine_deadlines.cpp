// The engine's deadlines: which an event sets, moves and ends (status model 1.5, 1.6).
#include "manager/engine.hpp"
#include "manager/listening.hpp"

#include <algorithm>
#include <utility>

namespace cpm::manager {
namespace {

core::Actor const kTimer{core::ActorKind::Timer, {}};
constexpr auto kStarting = core::ActualStatus::Starting;

} // namespace

void Engine::arm(core::Event const& event, core::Now decided) {
    if (std::holds_alternative<core::RollbackAccepted>(event.payload))
        rolled_back_ = parts_.log.rolled_back().has_value();
    auto const* server = fleet_.find(event.server);
    if (!server) {
        deadlines_.forget(event.server);
        relays_.forget(event.server);
        report_limits_.forget(event.server);
        return;
    }
    auto const id = event.server;
    auto const wake_at = [&](core::MonoTime at) {
        deadlines_.set(id, DeadlineKind::Wake, at, server->state.request->sequence);
    };
    if (auto const* heartbeat = std::get_if<core::HeartbeatReceived>(&event.payload)) {
        relays_.note(*server);
        relays_.close(id); // it is up
        // From the answer on: a slow sync must not shorten the time an agent has.
        auto const answered = parts_.clock.now().mono;
        deadlines_.set(id, DeadlineKind::Silence, answered + heartbeat->timeout, event.sequence);
        // It is up, or not Starting: its silence will bring the next packet.
        if (heartbeat->status == core::HeartbeatStatus::On || server->wakes.rounds > 0)
            clear_wake(id);
    } else if (auto const* request = std::get_if<core::PowerRequested>(&event.payload)) {
        relays_.close(id);
        deadlines_.set(id, DeadlineKind::Standby, decided.mono + request->standby, event.sequence);
        if (request->target == core::PowerStatus::On)
            deadlines_.set(id, DeadlineKind::Wake, decided.mono, event.sequence);
        else
            clear_wake(id);
    } else if (std::holds_alternative<core::StandbyElapsed>(event.payload) ||
               std::holds_alternative<core::StandbyReleased>(event.payload)) {
        deadlines_.clear(id, DeadlineKind::Standby);
        if (server->wakes.rounds > 0)
            clear_wake(id);
    } else if (std::holds_alternative<core::PowerAdopted>(event.payload)) {
        deadlines_.clear(id, DeadlineKind::Standby);
        clear_wake(id);
    } else if (std::holds_alternative<core::HeartbeatLost>(event.payload)) {
        // It was still stopping when ON was asked for, and has gone down now: wake it (1.6).
        if (awaits_start(*server))
            wake_at(decided.mono);
    } else if (std::holds_alternative<core::ServerUpdated>(event.payload)) {
        // It may have had no MAC address when a packet was due.
        bool const is_due = server->wakes.rounds == 0 || server->state.actual == kStarting;
        bool const is_pending = deadlines_.at(id, DeadlineKind::Wake).has_value() ||
                                deadlines_.at(id, DeadlineKind::WakeTurn).has_value();
        if (awaits_start(*server) && is_due && !is_pending)
            wake_at(decided.mono);
    } else if (std::holds_alternative<core::AgentJoined>(event.payload)) {
        relays_.note(*server);
    } else if (auto const* sent = std::get_if<core::WakeSent>(&event.payload)) {
        bool const is_round = event.actor.kind == core::ActorKind::Timer && !sent->relay;
        if (is_round && server->state.actual == kStarting)
            wake_at(decided.mono + wake_pause(server->wakes.rounds));
    }
}

void Engine::clear_wake(core::ServerId server) {
    deadlines_.clear(server, DeadlineKind::Wake);
    deadlines_.clear(server, DeadlineKind::WakeTurn);
}

void Engine::recount_silence(core::MonoTime now) {
    for (auto const& [id, server] : fleet_.servers)
        if (server.state.current != core::HeartbeatStatus::None)
            deadlines_.set(
                id,
                DeadlineKind::Silence,
                now + server.heartbeat_timeout,
                server.state.last_heartbeat
            );
}

void Engine::hear_first(core::MonoTime now) {
    for (auto const& [id, server] : fleet_.servers)
        if (auto const at = deadlines_.at(id, DeadlineKind::Silence); at && *at <= now)
            deadlines_.set(id, DeadlineKind::Silence, now + kTick, server.state.last_heartbeat);
}

/// Whether the manager's machine was suspended since the last round. CLOCK_MONOTONIC stood still
/// meanwhile, the time that was allowed for a power change did not.
bool Engine::note_suspend() {
    auto const slept = parts_.clock.suspended() - suspended_;
    if (slept < kLate)
        return false;
    suspended_ += slept;
    for (auto const& [id, server] : fleet_.servers)
        if (auto const at = deadlines_.at(id, DeadlineKind::Standby); at && server.state.request)
            deadlines_.set(id, DeadlineKind::Standby, *at - slept, server.state.request->sequence);
    return true;
}

/// The manager was away, and what it hears now may have waited meanwhile. An OFF whose standby time
/// is over must neither go out nor count as answered (status model 1.4), so it elapses first. An ON
/// harms nobody, and nobody shall be told that it is late when it was carried out meanwhile.
void Engine::elapse_overdue(Turn& turn) {
    std::vector<core::ServerId> overdue;
    for (auto const& [id, server] : fleet_.servers) {
        auto const at = deadlines_.at(id, DeadlineKind::Standby);
        bool const is_off =
            server.state.power == core::PowerStatus::Off && core::standby_is_open(server.state);
        if (is_off && at && *at <= turn.now().mono)
            overdue.push_back(id);
    }
    elapse(turn, std::move(overdue), false);
}

void Engine::elapse(Turn& turn, std::vector<core::ServerId> servers, bool late) {
    std::ranges::sort(servers);
    for (auto const id : servers) {
        auto const& state = fleet_.find(id)->state;
        auto const request = state.request->sequence;
        turn.record(id, core::decide_elapsed(state, request, late), kTimer, request);
    }
}

core::milliseconds Engine::standby_remaining(core::ServerId server) const {
    auto const at = deadlines_.at(server, DeadlineKind::Standby);
    if (!at)
        return {};
    auto const left = *at - parts_.clock.now().mono;
    return std::max(std::chrono::ceil<core::milliseconds>(left), core::milliseconds{0});
}

std::optional<core::MonoTime> Engine::next_due() const {
    if (failure_ || space_ == SpaceLevel::Full)
        return std::nullopt; // a round could do nothing about what is due
    return deadlines_.next_due();
}

} // namespace cpm::manager
