#include "manager/agent_commands.hpp"

#include "core/evolve.hpp"
#include "manager/accounts_codec.hpp"
#include "manager/wake_commands.hpp"

#include <algorithm>

namespace cpm::manager {
namespace {

core::Actor const kAgent{core::ActorKind::Agent, {}};

core::Error revoked() {
    return {
        core::ErrorCode::NotSignedIn,
        "this agent's credential was revoked: join again with a new join token"};
}

/// The server whose agent speaks. Looked at again here: it may have been removed, or its credential
/// revoked, while this waited.
core::Result<core::Server const*> find_caller(Turn const& turn, core::ServerId id) {
    auto const* server = turn.fleet().find(id);
    if (!server)
        return core::fail(
            core::ErrorCode::Gone, "this server was removed: it is no longer managed"
        );
    if (!server->agent.enrolled)
        return tl::make_unexpected(revoked());
    return server;
}

/// Whether the events of a report may be left unrecorded if there are too many. Never while the
/// manifest says OFF: whoever is about to go down asks at its own pace.
bool is_limited(
    Turn& turn, core::Server const& server, core::Report const& report, core::Payloads const& events
) {
    bool const brings_wakes = std::ranges::any_of(report.woke, [&](auto const& id) {
        return turn.relays().awaits(server.id, id);
    });
    return !brings_wakes && core::manifest_power(server.state) == core::PowerStatus::On &&
           core::is_routine(server, events);
}

/// Fails with Throttled: there are too many reports of this agent, and this one says nothing new.
core::Result<void> check_pace(
    Turn& turn,
    core::Server const& server,
    core::Report const& report,
    core::Payloads const& events,
    core::seconds interval
) {
    auto const kind = std::holds_alternative<core::ReportIgnored>(events.front())
                          ? ReportLimits::Kind::Ignored
                          : ReportLimits::Kind::Counting;
    auto const now = turn.now().mono;
    auto const wait = turn.report_limits().wait(server.id, kind, now, interval);
    if (wait.count() == 0 || !is_limited(turn, server, report, events)) {
        turn.report_limits().take(server.id, kind, now, interval);
        return {};
    }
    core::Error error{
        core::ErrorCode::Throttled,
        "this agent reports too often: reports that say nothing new are recorded only a few times "
        "an interval. Report once an interval"};
    error.remaining_seconds = std::chrono::ceil<core::seconds>(wait).count();
    return tl::make_unexpected(std::move(error));
}

ManifestOutcome outcome(Turn& turn, core::Server const& server, core::Manifest manifest) {
    auto asked = turn.relays().asked_of(server.id, turn.now().mono);
    return make_manifest_outcome(server, std::move(manifest), std::move(asked));
}

core::OrderSent order_sent(core::Server const& server, core::Asker const& asker, bool is_signed) {
    return {
        .request = server.state.request->sequence,
        .identity = asker.identity,
        .nonce = is_signed ? asker.nonce : std::string{},
        .way = asker.way,
    };
}

/// What the server will be told once these payloads have happened. Looked at only while power is
/// OFF, because only then can anything but ON be said: the common heartbeat copies nothing.
core::Manifest manifest_after(
    Turn const& turn,
    core::Server server,
    core::Sequence next,
    core::Payloads const& payloads,
    core::Asker const& asker
) {
    for (auto const& payload : payloads) {
        core::evolve(server.state, next, payload);
        next = next.next();
    }
    return core::manifest_for(server, turn.fleet().settings, asker, turn.rolled_back());
}

} // namespace

ManifestOutcome make_manifest_outcome(
    core::Server const& server, core::Manifest manifest, std::vector<WakeAsk> asked
) {
    auto const request = server.state.request ? server.state.request->sequence : core::Sequence{};
    auto version = core::manifest_version(manifest, request);
    // An agent that is told OFF is about to go down, and sends no packets for others.
    if (manifest.power_status == core::PowerStatus::Off)
        asked.clear();
    return {std::move(manifest), version_with(std::move(version), asked), std::move(asked)};
}

core::Result<ManifestOutcome> decide(Turn& turn, ReceiveHeartbeat const& command) {
    auto const found = find_caller(turn, command.server);
    if (!found)
        return tl::make_unexpected(found.error());
    auto const* server = *found;
    auto const& report = command.report;
    auto const& settings = turn.fleet().settings;
    auto payloads =
        core::decide_heartbeat(*server, report, core::heartbeat_timeout(server->config, settings));

    auto const interval = core::heartbeat_interval(server->config, settings);
    core::Asker const asker{report.identity, report.nonce, core::OrderWay::Heartbeat};
    core::Manifest manifest;
    manifest.heartbeat_interval = interval;
    if (auto const fine = check_pace(turn, *server, report, payloads, interval); !fine)
        return tl::make_unexpected(fine.error());
    if (std::holds_alternative<core::ReportIgnored>(payloads.front()))
        manifest.notice = core::Notice::Ignored;
    else if (server->state.power == core::PowerStatus::Off) {
        manifest = manifest_after(turn, *server, turn.next(), payloads, asker);
        if (manifest.power_status == core::PowerStatus::Off)
            payloads.push_back(order_sent(*server, asker, manifest.order.has_value()));
    }
    bool const counts = manifest.notice != core::Notice::Ignored;
    turn.record(command.server, std::move(payloads), kAgent);
    if (counts)
        note_woke(turn, *server, report.woke);
    return outcome(turn, *server, std::move(manifest));
}

core::Result<ManifestOutcome> decide(Turn& turn, AskManifest const& command) {
    auto const found = find_caller(turn, command.server);
    if (!found)
        return tl::make_unexpected(found.error());
    auto const* server = *found;
    auto manifest =
        core::manifest_for(*server, turn.fleet().settings, command.asker, turn.rolled_back());
    if (manifest.power_status == core::PowerStatus::Off) {
        core::Payloads payloads;
        payloads.push_back(order_sent(*server, command.asker, manifest.order.has_value()));
        turn.record(command.server, std::move(payloads), kAgent, server->state.request->sequence);
    }
    return outcome(turn, *server, std::move(manifest));
}

core::Result<NoteRollback::Outcome> decide(Turn& turn, NoteRollback const& command) {
    bool const is_past = command.epoch < turn.fleet().epoch;
    bool const is_known = turn.rolled_back() && command.epoch <= turn.witnessed_epoch();
    if (is_past || is_known)
        return NoteRollback::Outcome{};
    if (auto noted = turn.mark_rolled_back(command.why, command.epoch); !noted)
        return tl::make_unexpected(noted.error());
    return NoteRollback::Outcome{};
}

core::Result<JoinAgent::Outcome> decide(Turn& turn, JoinAgent const& command) {
    auto const* found = turn.accounts().find_join_token(hash_secret(command.join_token));
    auto const* server = found ? turn.fleet().find(found->server) : nullptr;
    if (!server || found->expires_at < turn.now().wall)
        return core::fail(
            core::ErrorCode::NotSignedIn,
            "this join token is unknown, spent or expired: make a new one for this server"
        );
    auto const token = *found; // its record is removed below
    auto macs = core::check_join(turn.fleet(), *server, command.machine, token.any_machine);
    if (!macs)
        return tl::make_unexpected(macs.error());
    auto joined = server->config;
    joined.mac_addresses = *macs;
    if (auto fine = core::validate(joined); !fine) // too many cards: no later edit would be valid
        return tl::make_unexpected(fine.error());

    auto agent_token = make_secret(turn.random(), "cpm_agent_");
    turn.record_one(
        server->id,
        core::AgentJoined{
            .token_id = token.id,
            .hostname = command.machine.hostname,
            .agent_version = command.agent_version,
            .os = command.os,
            .address = command.address,
            .mac_addresses = std::move(*macs),
        },
        kAgent
    );
    turn.change(remove_join_token(token.id));
    turn.change(put(AgentCredential{server->id, hash_secret(agent_token), {}}));
    auto const interval = core::heartbeat_interval(server->config, turn.fleet().settings);
    return JoinAgent::Outcome{server->id, std::move(agent_token), interval};
}

core::Result<RotateAgentToken::Outcome> decide(Turn& turn, RotateAgentToken const& command) {
    auto const found = find_caller(turn, command.server);
    auto const* const present = found ? turn.accounts().find_agent_of(command.server) : nullptr;
    if (!present || present->secret != command.secret)
        return tl::make_unexpected(found ? revoked() : found.error());
    auto agent_token = make_secret(turn.random(), "cpm_agent_");
    auto rotated = *present;
    rotated.next = hash_secret(agent_token);
    turn.change(put(rotated));
    return RotateAgentToken::Outcome{std::move(agent_token)};
}

core::Result<UseAgentToken::Outcome> decide(Turn& turn, UseAgentToken const& command) {
    auto const* const present = turn.accounts().find_agent(command.secret);
    if (!present)
        return tl::make_unexpected(revoked());
    if (present->next != command.secret) // an earlier call of this very round did it
        return UseAgentToken::Outcome{};
    AgentCredential const rotated{present->server, command.secret, {}};
    turn.record_one(rotated.server, core::AgentTokenRotated{}, kAgent);
    turn.change(put(rotated));
    return UseAgentToken::Outcome{};
}

} // namespace cpm::manager
