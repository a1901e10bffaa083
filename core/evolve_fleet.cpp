// The fleet's part of evolve(): which servers there are, what belongs to whom, and the durations
// deadlines are made of.
#include "core/evolve.hpp"

#include <utility>

namespace cpm::core {
namespace {

void unlink(Fleet& fleet, Server const& server) {
    for (auto const& mac : server.config.mac_addresses)
        fleet.by_mac.erase(mac);
    fleet.by_name.erase(server.config.name);
}

void configure(Fleet& fleet, Server& server, Event const& event, ServerConfig const& config) {
    unlink(fleet, server);
    server.configured = event.sequence;
    server.config = config;
    for (auto const& mac : config.mac_addresses)
        fleet.by_mac[mac] = server.id;
    fleet.by_name[config.name] = server.id;
}

void note_heartbeat(Server& server, Event const& event, HeartbeatReceived const& heartbeat) {
    server.last_heartbeat_at = event.at;
    server.leaving = heartbeat.leaving;
    server.heartbeat_timeout = heartbeat.timeout;
    server.agent.can_verify = heartbeat.can_verify;
    if (!server.agent.heard)
        server.agent.heard = event.sequence;
    if (!heartbeat.agent_version.empty())
        server.agent.version = heartbeat.agent_version;
    if (!heartbeat.address.empty())
        server.agent.address = heartbeat.address;
}

void note_join(Fleet& fleet, Server& server, Event const& event, AgentJoined const& joined) {
    auto config = server.config;
    config.mac_addresses = joined.mac_addresses;
    configure(fleet, server, event, config);
    server.agent = Agent{
        .enrolled = true,
        .version = joined.agent_version,
        .hostname = joined.hostname,
        .os = joined.os,
        .address = joined.address,
    };
}

void note_request(Server& server, Event const& event, PowerRequested const& request) {
    server.earlier_request.reset();
    if (auto const& before = server.state.request)
        server.earlier_request = EarlierRequest{
            before->sequence,
            server.requested_by,
            server.requested_at,
            server.standby,
            server.wakes,
        };
    server.requested_at = event.at;
    server.standby = request.standby;
    server.requested_by = event.actor;
    server.wakes = {};
}

/// The request that stands again was made by its own author, at its own time.
void note_withdrawn(Server& server, PowerWithdrawn const& withdrawn) {
    auto const earlier = std::exchange(server.earlier_request, std::nullopt);
    if (!earlier || !withdrawn.restored || withdrawn.restored->sequence != earlier->sequence)
        return;
    server.requested_by = earlier->requested_by;
    server.requested_at = earlier->requested_at;
    server.standby = earlier->standby;
    server.wakes = earlier->wakes;
}

void note_wake(Server& server, Event const& event, WakeSent const& sent) {
    if (sent.relay) {
        server.wakes.last_relay = sent.relay;
        return;
    }
    bool const is_persons =
        event.actor.kind == ActorKind::User || event.actor.kind == ActorKind::Token;
    if (is_persons)
        return;
    // One decision is one round, however many MACs it has: only its first event counts.
    if (event.sequence == event.decision)
        ++server.wakes.rounds;
    server.wakes.last_at = event.at;
}

/// What an event says of a server beside its status.
void note(Fleet& fleet, Server& server, Event const& event) {
    if (auto const* heartbeat = std::get_if<HeartbeatReceived>(&event.payload))
        note_heartbeat(server, event, *heartbeat);
    else if (auto const* request = std::get_if<PowerRequested>(&event.payload))
        note_request(server, event, *request);
    else if (auto const* withdrawn = std::get_if<PowerWithdrawn>(&event.payload))
        note_withdrawn(server, *withdrawn);
    else if (auto const* sent = std::get_if<WakeSent>(&event.payload))
        note_wake(server, event, *sent);
    else if (auto const* updated = std::get_if<ServerUpdated>(&event.payload))
        configure(fleet, server, event, updated->config);
    else if (auto const* joined = std::get_if<AgentJoined>(&event.payload))
        note_join(fleet, server, event, *joined);
    else if (std::holds_alternative<AgentRevoked>(event.payload))
        server.agent.enrolled = false;
}

void add_server(Fleet& fleet, Event const& event, ServerConfig const& config) {
    auto& server = fleet.servers[event.server];
    server.id = event.server;
    server.changed_at = event.at;
    server.changed = event.sequence;
    configure(fleet, server, event, config);
}

void remove_server(Fleet& fleet, ServerId id) {
    auto const it = fleet.servers.find(id);
    if (it == fleet.servers.end())
        return;
    unlink(fleet, it->second);
    fleet.servers.erase(it);
}

} // namespace

bool is_routine(ServerState before, ServerState const& after) {
    before.report = after.report;
    before.last_heartbeat = after.last_heartbeat;
    return before == after;
}

void evolve(Fleet& fleet, Event const& event) {
    if (auto const* added = std::get_if<ServerAdded>(&event.payload))
        return add_server(fleet, event, added->config);
    if (std::holds_alternative<ServerRemoved>(event.payload))
        return remove_server(fleet, event.server);
    if (auto const* changed = std::get_if<SettingsChanged>(&event.payload)) {
        for (auto const& change : changed->changes)
            (void)apply(fleet.settings, change);
        fleet.settings_changed = event.sequence;
        return;
    }
    if (auto const* accepted = std::get_if<RollbackAccepted>(&event.payload))
        fleet.epoch = accepted->epoch;
    if (family_of(event.payload) == Family::Process) {
        for (auto& [id, server] : fleet.servers)
            evolve(server.state, event.sequence, event.payload);
        return;
    }
    auto const it = fleet.servers.find(event.server);
    if (it == fleet.servers.end())
        return;
    auto& server = it->second;
    auto const before = server.state;
    note(fleet, server, event);
    evolve(server.state, event.sequence, event.payload);
    if (before.actual != server.state.actual)
        server.changed_at = event.at;
    bool const is_heartbeat = std::holds_alternative<HeartbeatReceived>(event.payload);
    if (!is_heartbeat || !is_routine(before, server.state))
        server.changed = event.sequence;
}

} // namespace cpm::core
