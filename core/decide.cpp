#include "core/decide.hpp"

#include "core/evolve.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::core {
namespace {

bool already_holds(ServerState const& state, PowerStatus target) {
    if (state.power != target)
        return false;
    if (target == PowerStatus::Off)
        return state.actual == ActualStatus::Off;
    return state.actual == ActualStatus::On || state.actual == ActualStatus::ManuallyOn;
}

PowerDecision refuse(PowerStatus target, Error error) {
    PowerDecision decision;
    decision.events.push_back(PowerRefused{target, error.code});
    decision.refusal = std::move(error);
    return decision;
}

/// Reports that do not count (1.4). The recorded identity is never among the replaced ones.
Payloads decide_ignored(ServerState const& state, Report const& report) {
    Payloads events;
    if (!report.identity)
        return events;
    ReportIgnored ignored{report.status, *report.identity, report.report, {}};
    if (report.identity == state.boot) {
        if (!report.report || !state.report || *report.report > *state.report)
            return events;
        ignored.because = IgnoredBecause::StaleReport;
        events.push_back(ignored);
        return events;
    }
    auto const earlier =
        std::ranges::find(state.earlier, *report.identity, &EarlierIdentity::identity);
    if (earlier == state.earlier.end())
        return events;
    ignored.because = IgnoredBecause::ReplacedIdentity;
    events.push_back(ignored);
    if (earlier->ignored && !state.set_aside)
        events.push_back(AgentSetAside{*report.identity});
    return events;
}

/// People are told of an adoption when an OFF stood and the server was not simply switched on again
/// after it had gone off, or comes back as the very boot that was thought to be off.
bool deserves_notice(ServerState const& before, bool recorded) {
    if (!before.request || before.request->target != PowerStatus::Off)
        return false;
    bool const was_completed = before.previous == HeartbeatStatus::Stopping &&
                               before.current == HeartbeatStatus::None &&
                               before.actual == ActualStatus::Off;
    return !was_completed || recorded;
}

/// ON arrives while power is OFF (1.4): the OFF stands, or the server was turned on by hand.
std::optional<Payload> decide_turned_on(ServerState const& before, Report const& report) {
    if (before.power != PowerStatus::Off || report.status != HeartbeatStatus::On)
        return std::nullopt;
    bool const recorded = report.identity && report.identity == before.boot;
    bool const was_on = before.current == HeartbeatStatus::On;
    if (was_on && (recorded || !report.identity))
        return std::nullopt; // the table says it

    auto const& request = before.request;
    if (!was_on && recorded && request && request->ordered && request->standby == Standby::Open)
        return PowerReasserted{request->sequence};
    return PowerAdopted{
        .identity = report.identity,
        .overruled = request ? request->sequence : Sequence{},
        .notify = deserves_notice(before, recorded),
    };
}

} // namespace

PowerDecision
decide_power(Server const& server, PowerStatus target, seconds standby, PowerGuards const& guards) {
    auto const& state = server.state;
    if (standby_is_open(state))
        return refuse(
            target,
            Error{
                ErrorCode::StandbyOpen,
                fmt::format(
                    "a power change of {} is under way: wait until its standby time has passed",
                    server.config.name
                )}
        );
    if (already_holds(state, target))
        return {};
    if (target == PowerStatus::Off)
        if (auto error = guard_off(server, guards))
            return refuse(target, std::move(*error));
    PowerDecision decision;
    decision.events.push_back(PowerRequested{target, standby});
    return decision;
}

Payloads decide_heartbeat(Server const& server, Report const& report, seconds timeout) {
    auto const& state = server.state;
    if (auto ignored = decide_ignored(state, report); !ignored.empty())
        return ignored;

    Payloads events;
    HeartbeatReceived received{
        .status = report.status,
        .identity = report.identity,
        .report = report.report,
        .timeout = timeout,
        .blocked_by = report.blocked_by,
        .leaving = report.leaving,
        .can_verify = !report.nonce.empty(),
        .agent_version = {},
        .address = {},
    };
    if (report.agent_version != server.agent.version)
        received.agent_version = report.agent_version;
    if (report.address != server.agent.address)
        received.address = report.address;
    events.push_back(std::move(received));
    if (auto turned_on = decide_turned_on(state, report))
        events.push_back(std::move(*turned_on));
    return events;
}

bool is_routine(Server const& server, Payloads const& events) {
    auto after = server.state;
    for (auto const& event : events) {
        evolve(after, {}, event);
        auto const* received = std::get_if<HeartbeatReceived>(&event);
        bool const is_news = received && (received->leaving != server.leaving ||
                                          received->timeout != server.heartbeat_timeout);
        if (is_news)
            return false;
    }
    return is_routine(server.state, after);
}

Payloads decide_silence(ServerState const& state, Sequence heartbeat) {
    Payloads events;
    if (state.last_heartbeat == heartbeat && state.current != HeartbeatStatus::None)
        events.push_back(HeartbeatLost{heartbeat});
    return events;
}

Payloads decide_elapsed(ServerState const& state, Sequence request, bool late) {
    Payloads events;
    if (standby_is_open(state) && state.request->sequence == request)
        events.push_back(StandbyElapsed{request, late});
    return events;
}

Payloads decide_release(ServerState const& state) {
    Payloads events;
    bool const settled = state.request && already_holds(state, state.request->target);
    if (standby_is_open(state) && settled)
        events.push_back(StandbyReleased{state.request->sequence});
    return events;
}

PowerWithdrawn decide_withdrawal(ServerState const& before, Sequence request) {
    PowerWithdrawn withdrawn{
        .request = request,
        .power = before.power,
        .previous = before.previous,
        .current = before.current,
        .restored = before.request,
    };
    if (withdrawn.restored) {
        withdrawn.restored->ordered = false;
        withdrawn.restored->answered = false;
    }
    return withdrawn;
}

} // namespace cpm::core
