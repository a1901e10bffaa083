#include "tools/cpm-replay/simulation.hpp"

#include "core/record.hpp"
#include "core/settings.hpp"

#include <algorithm>

namespace cpm::replay {
namespace {

core::Actor const kTimer{core::ActorKind::Timer, {}};

core::Payloads one(core::Payload payload) {
    core::Payloads payloads;
    payloads.push_back(std::move(payload));
    return payloads;
}

/// What was asked for was refused by this guard then; it has not been confirmed since.
core::PowerGuards guards_of(core::PowerRefused const& refused) {
    core::PowerGuards guards{
        .own_host =
            refused.reason == core::ErrorCode::OwnHost ? core::OwnHost::Yes : core::OwnHost::No,
        .name_confirmed = refused.reason != core::ErrorCode::Protected,
    };
    if (refused.reason == core::ErrorCode::MinOn)
        guards.shortage.emplace();
    return guards;
}

core::Report report_of(core::HeartbeatReceived const& event) {
    core::Report report;
    report.status = event.status;
    report.identity = event.identity;
    report.report = event.report;
    report.nonce = event.can_verify ? "nonce" : "";
    report.blocked_by = event.blocked_by;
    report.leaving = event.leaving;
    report.agent_version = event.agent_version;
    report.address = event.address;
    return report;
}

core::Report report_of(core::ReportIgnored const& event) {
    core::Report report;
    report.status = event.status;
    report.identity = event.identity;
    report.report = event.report;
    return report;
}

} // namespace

Simulation::Simulation(OtherSettings settings, core::Sequence compacted, Decided decided)
    : settings_(settings)
    , compacted_(compacted)
    , decided_(std::move(decided)) {}

void Simulation::add(core::Event const& recorded) {
    // While the manager was away nothing fell due.
    if (!std::holds_alternative<core::ManagerStarted>(recorded.payload))
        fire_until(recorded.at);
    now_ = std::max(now_, recorded.at);
    take(recorded);
}

void Simulation::take(core::Event const& event) {
    auto const& payload = event.payload;
    if (auto const* requested = std::get_if<core::PowerRequested>(&payload))
        return request(event, requested->target, requested->standby, {.name_confirmed = true});
    if (auto const* refused = std::get_if<core::PowerRefused>(&payload)) {
        auto const* server = fleet_.find(event.server);
        if (server)
            request(
                event,
                refused->target,
                core::standby_time(server->config, fleet_.settings),
                guards_of(*refused)
            );
        return;
    }
    if (auto const* heartbeat = std::get_if<core::HeartbeatReceived>(&payload))
        return report(event, report_of(*heartbeat), heartbeat->timeout);
    if (auto const* ignored = std::get_if<core::ReportIgnored>(&payload))
        return report(event, report_of(*ignored), std::nullopt);
    if (auto const* lost = std::get_if<core::HeartbeatLost>(&payload))
        return lose(event, *lost);
    if (auto const* elapsed = std::get_if<core::StandbyElapsed>(&payload))
        return elapse(event, *elapsed);
    if (auto const* sent = std::get_if<core::WakeSent>(&payload))
        return wake(event, *sent);
    if (auto const* withdrawn = std::get_if<core::PowerWithdrawn>(&payload))
        return withdraw(event, *withdrawn);
    if (std::holds_alternative<core::ManagerStarted>(payload))
        return start(event);
    bool const is_concluded = std::holds_alternative<core::PowerAdopted>(payload) ||
                              std::holds_alternative<core::PowerReasserted>(payload) ||
                              std::holds_alternative<core::StandbyReleased>(payload) ||
                              std::holds_alternative<core::AgentSetAside>(payload) ||
                              std::holds_alternative<core::OrderSent>(payload);
    if (!is_concluded)
        pass_on(event);
}

void Simulation::request(
    core::Event const& event,
    core::PowerStatus target,
    core::seconds standby,
    core::PowerGuards const& guards
) {
    auto const* server = fleet_.find(event.server);
    if (!server)
        return;
    auto const recorded = standby;
    standby = settings_.standby.value_or(standby);
    auto decision = core::decide_power(*server, target, standby, guards);
    auto const before = server->state;
    auto const events = record(event.server, std::move(decision.events), event.actor, event.at);
    if (events.empty() || !std::holds_alternative<core::PowerRequested>(events.front().payload))
        return;
    bool const was_accepted = std::holds_alternative<core::PowerRequested>(event.payload);
    auto& track = tracks_[event.server];
    track.request = was_accepted ? event.sequence : core::Sequence{};
    track.requested = events.front().sequence;
    track.follows_standby = was_accepted && standby == recorded;
    track.before_request = before;
    arm(track.standby, Due{event.at + standby + kPatience, event.server, Kind::Standby});
}

void Simulation::report(
    core::Event const& event, core::Report report, std::optional<core::seconds> recorded
) {
    auto const* server = fleet_.find(event.server);
    if (!server)
        return;
    // "Only when it differs from the one known": it is the one known.
    if (report.agent_version.empty())
        report.agent_version = server->agent.version;
    if (report.address.empty())
        report.address = server->agent.address;
    auto const interval = core::heartbeat_interval(server->config, fleet_.settings);
    auto const timeout =
        settings_.missed
            ? interval * *settings_.missed
            : recorded.value_or(core::heartbeat_timeout(server->config, fleet_.settings));
    auto const events = record(
        event.server, core::decide_heartbeat(*server, report, timeout), event.actor, event.at
    );
    if (!std::holds_alternative<core::HeartbeatReceived>(events.front().payload))
        return;
    auto& track = tracks_[event.server];
    track.heartbeat = event.sequence;
    track.follows_silence = recorded == timeout || event.sequence <= compacted_;
    std::optional<Due> silence;
    if (!track.follows_silence)
        silence = Due{event.at + timeout + kPatience, event.server, Kind::Silence};
    arm(track.silence, silence);
}

void Simulation::lose(core::Event const& event, core::HeartbeatLost const& lost) {
    auto const* server = fleet_.find(event.server);
    auto const& track = tracks_[event.server];
    if (server && track.follows_silence && track.heartbeat == lost.heartbeat)
        record(
            event.server,
            core::decide_silence(server->state, server->state.last_heartbeat),
            event.actor,
            event.at
        );
}

void Simulation::elapse(core::Event const& event, core::StandbyElapsed const& elapsed) {
    auto const* server = fleet_.find(event.server);
    auto& track = tracks_[event.server];
    if (!server || track.request != elapsed.request || !track.follows_standby)
        return;
    arm(track.standby, std::nullopt);
    record(
        event.server,
        core::decide_elapsed(server->state, track.requested, elapsed.late),
        event.actor,
        event.at,
        track.requested
    );
}

void Simulation::wake(core::Event const& event, core::WakeSent sent) {
    auto const* server = fleet_.find(event.server);
    auto const& track = tracks_[event.server];
    bool const stands = server && server->state.request && track.request == sent.request &&
                        server->state.request->sequence == track.requested;
    // A round is a packet to each MAC: one event of it counts.
    if (!stands || event.sequence != event.decision)
        return;
    sent.request = track.requested;
    record(event.server, one(std::move(sent)), event.actor, event.at);
}

void Simulation::withdraw(core::Event const& event, core::PowerWithdrawn const& withdrawn) {
    auto& track = tracks_[event.server];
    if (!fleet_.find(event.server) || track.request != withdrawn.request || !track.before_request)
        return;
    arm(track.standby, std::nullopt);
    record(
        event.server,
        one(core::decide_withdrawal(*track.before_request, track.requested)),
        event.actor,
        event.at
    );
}

void Simulation::start(core::Event const& event) {
    pass_on(event);
    // Nothing was heard meanwhile: silence counts anew. What elapsed meanwhile elapses now.
    for (auto& [id, track] : tracks_) {
        auto const* server = fleet_.find(id);
        if (track.silence && server)
            arm(track.silence,
                Due{event.at + server->heartbeat_timeout + kPatience, id, Kind::Silence});
    }
}

void Simulation::pass_on(core::Event const& event) {
    if (auto const* changed = std::get_if<core::SettingsChanged>(&event.payload);
        changed && settings_.release_standby) {
        auto kept = *changed;
        std::erase_if(kept.changes, [](auto const& change) {
            return change.first == "release_standby_when_settled";
        });
        record(event.server, one(std::move(kept)), event.actor, event.at, event.cause);
    } else
        record(event.server, one(event.payload), event.actor, event.at, event.cause);
    if (std::holds_alternative<core::ServerRemoved>(event.payload)) {
        auto& track = tracks_[event.server];
        arm(track.standby, std::nullopt);
        arm(track.silence, std::nullopt);
        tracks_.erase(event.server);
    }
}

// --- deadlines

void Simulation::fire_until(core::WallTime now) {
    while (!due_.empty() && due_.begin()->at < now)
        fire(*due_.begin());
}

void Simulation::fire(Due const& fired) {
    auto const due = fired; // its place is given up
    auto& track = tracks_[due.server];
    arm(due.kind == Kind::Standby ? track.standby : track.silence, std::nullopt);
    auto const* server = fleet_.find(due.server);
    if (!server)
        return;
    auto const at = std::max(now_, due.at - kPatience);
    now_ = at;
    if (due.kind == Kind::Standby)
        record(
            due.server,
            core::decide_elapsed(server->state, track.requested, false),
            kTimer,
            at,
            track.requested
        );
    else
        record(
            due.server,
            core::decide_silence(server->state, server->state.last_heartbeat),
            kTimer,
            at,
            server->state.last_heartbeat
        );
}

void Simulation::arm(std::optional<Due>& slot, std::optional<Due> due) {
    if (slot)
        due_.erase(*slot);
    slot = due;
    if (due)
        due_.insert(*due);
}

std::span<core::Event const> Simulation::record(
    core::ServerId server,
    core::Payloads&& payloads,
    core::Actor const& actor,
    core::WallTime at,
    core::Sequence cause
) {
    if (settings_.release_standby)
        fleet_.settings.release_standby_when_settled = *settings_.release_standby;
    batch_.clear();
    auto const events =
        core::record(fleet_, server, std::move(payloads), {at, actor, cause}, head_, batch_);
    if (!events.empty()) {
        head_ = events.back().sequence;
        decided_(events);
    }
    return events;
}

} // namespace cpm::replay
