// Payloads to their tables. Texts and vectors are put into locals first: the order in which
// arguments are evaluated is the compiler's, and with it the bytes would be.
#include "core/assert.hpp"
#include "eventstore/codec_parts.hpp"

#include <event_generated.h>

namespace cpm::eventstore {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = flatbuffers::Offset<T>;

static_assert(std::variant_size_v<core::Payload> == std::size_t(wire::PayloadData::MAX));

Offset<flatbuffers::String> text(Builder& b, std::string const& value) {
    return value.empty() ? Offset<flatbuffers::String>() : b.CreateString(value);
}

wire::Mac mac(core::MacAddress const& address) {
    return wire::Mac(flatbuffers::span<std::uint8_t const, 6>(address.bytes));
}

wire::Hash hash(core::Hash const& value) {
    return wire::Hash(flatbuffers::span<std::uint8_t const, 32>(value));
}

wire::BootIdentity identity(core::BootIdentity const& value) {
    return {flatbuffers::span<std::uint8_t const, 16>(value.boot_id.bytes), value.resume_count};
}

Offset<flatbuffers::Vector<wire::Mac const*>>
macs(Builder& b, std::vector<core::MacAddress> const& addresses) {
    if (addresses.empty())
        return 0;
    std::vector<wire::Mac> structs;
    for (auto const& address : addresses)
        structs.push_back(mac(address));
    return b.CreateVectorOfStructs(structs);
}

std::optional<std::int64_t> count(std::optional<core::seconds> duration) {
    return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
}

std::int64_t micros(core::WallTime time) {
    return time.time_since_epoch().count();
}

Offset<wire::WakeSettings> wake(Builder& b, core::WakeSettings const& v) {
    auto const address = text(b, v.broadcast_address);
    auto const ports =
        v.ports.empty() ? Offset<flatbuffers::Vector<std::uint16_t>>() : b.CreateVector(v.ports);
    auto const interface = text(b, v.interface);
    return wire::CreateWakeSettings(b, address, ports, interface);
}

Offset<wire::ServerConfig> config(Builder& b, core::ServerConfig const& v) {
    auto const name = text(b, v.name);
    auto const addresses = macs(b, v.mac_addresses);
    auto const tags = v.tags.empty() ? Offset<flatbuffers::Vector<Offset<flatbuffers::String>>>()
                                     : b.CreateVectorOfStrings(v.tags);
    auto const note = text(b, v.note);
    auto const settings = wake(b, v.wake);
    return wire::CreateServerConfig(
        b,
        name,
        addresses,
        tags,
        note,
        count(v.heartbeat_interval),
        count(v.standby_time),
        v.missed_heartbeats,
        settings,
        to_wire(v.off_method),
        v.is_protected,
        v.allow_unsigned
    );
}

// fleet

Offset<wire::ServerAdded> write(Builder& b, core::ServerAdded const& v) {
    return wire::CreateServerAdded(b, config(b, v.config));
}

Offset<wire::ServerUpdated> write(Builder& b, core::ServerUpdated const& v) {
    return wire::CreateServerUpdated(b, config(b, v.config));
}

Offset<wire::ServerRemoved> write(Builder& b, core::ServerRemoved const&) {
    return wire::CreateServerRemoved(b);
}

Offset<wire::JoinTokenCreated> write(Builder& b, core::JoinTokenCreated const& v) {
    return wire::CreateJoinTokenCreated(
        b, text(b, v.token_id), micros(v.expires_at), v.any_machine
    );
}

Offset<wire::AgentJoined> write(Builder& b, core::AgentJoined const& v) {
    auto const token_id = text(b, v.token_id);
    auto const hostname = text(b, v.hostname);
    auto const agent_version = text(b, v.agent_version);
    auto const os = text(b, v.os);
    auto const address = text(b, v.address);
    auto const addresses = macs(b, v.mac_addresses);
    return wire::CreateAgentJoined(b, token_id, hostname, agent_version, os, address, addresses);
}

Offset<wire::AgentTokenRotated> write(Builder& b, core::AgentTokenRotated const&) {
    return wire::CreateAgentTokenRotated(b);
}

Offset<wire::AgentRevoked> write(Builder& b, core::AgentRevoked const&) {
    return wire::CreateAgentRevoked(b);
}

Offset<wire::AgentSetAside> write(Builder& b, core::AgentSetAside const& v) {
    auto const who = identity(v.identity);
    return wire::CreateAgentSetAside(b, &who);
}

Offset<wire::AgentReinstated> write(Builder& b, core::AgentReinstated const&) {
    return wire::CreateAgentReinstated(b);
}

// power

Offset<wire::PowerRequested> write(Builder& b, core::PowerRequested const& v) {
    return wire::CreatePowerRequested(b, to_wire(v.target), v.standby.count());
}

Offset<wire::PowerRefused> write(Builder& b, core::PowerRefused const& v) {
    return wire::CreatePowerRefused(b, to_wire(v.target), to_wire(v.reason));
}

Offset<wire::PowerAdopted> write(Builder& b, core::PowerAdopted const& v) {
    auto const who = identity(v.identity.value_or(core::BootIdentity{}));
    return wire::CreatePowerAdopted(b, v.identity ? &who : nullptr, v.overruled.value, v.notify);
}

Offset<wire::PowerReasserted> write(Builder& b, core::PowerReasserted const& v) {
    return wire::CreatePowerReasserted(b, v.request.value);
}

Offset<wire::PowerWithdrawn> write(Builder& b, core::PowerWithdrawn const& v) {
    Offset<wire::Request> restored;
    if (auto const& r = v.restored)
        restored = wire::CreateRequest(
            b,
            r->sequence.value,
            to_wire(r->target),
            to_wire(r->standby),
            r->ordered,
            r->answered,
            r->confirmed
        );
    return wire::CreatePowerWithdrawn(
        b, v.request.value, to_wire(v.power), to_wire(v.previous), to_wire(v.current), restored
    );
}

Offset<wire::StandbyElapsed> write(Builder& b, core::StandbyElapsed const& v) {
    return wire::CreateStandbyElapsed(b, v.request.value, v.late);
}

Offset<wire::StandbyReleased> write(Builder& b, core::StandbyReleased const& v) {
    return wire::CreateStandbyReleased(b, v.request.value);
}

Offset<wire::OrderSent> write(Builder& b, core::OrderSent const& v) {
    auto const who = identity(v.identity.value_or(core::BootIdentity{}));
    return wire::CreateOrderSent(
        b, v.request.value, v.identity ? &who : nullptr, text(b, v.nonce), to_wire(v.way)
    );
}

Offset<wire::WakeSent> write(Builder& b, core::WakeSent const& v) {
    auto const card = mac(v.mac);
    auto const way = text(b, v.way);
    auto const detail = text(b, v.detail);
    return wire::CreateWakeSent(b, v.request.value, &card, way, v.ok, detail, v.relay.value);
}

// heartbeats

Offset<wire::HeartbeatReceived> write(Builder& b, core::HeartbeatReceived const& v) {
    auto const who = identity(v.identity.value_or(core::BootIdentity{}));
    auto const blocked_by = text(b, v.blocked_by);
    auto const agent_version = text(b, v.agent_version);
    auto const address = text(b, v.address);
    return wire::CreateHeartbeatReceived(
        b,
        to_wire(v.status),
        v.identity ? &who : nullptr,
        v.report,
        v.timeout.count(),
        blocked_by,
        to_wire(v.leaving),
        v.can_verify,
        agent_version,
        address
    );
}

Offset<wire::HeartbeatLost> write(Builder& b, core::HeartbeatLost const& v) {
    return wire::CreateHeartbeatLost(b, v.heartbeat.value);
}

Offset<wire::ReportIgnored> write(Builder& b, core::ReportIgnored const& v) {
    auto const who = identity(v.identity);
    return wire::CreateReportIgnored(b, to_wire(v.status), &who, v.report, to_wire(v.because));
}

Offset<wire::HeartbeatsCompacted> write(Builder& b, core::HeartbeatsCompacted const& v) {
    auto const prev = hash(v.prev_hash);
    auto const last = hash(v.last_hash);
    return wire::CreateHeartbeatsCompacted(b, v.first.value, v.last.value, v.count, &prev, &last);
}

// people

Offset<wire::SetupDone> write(Builder& b, core::SetupDone const& v) {
    return wire::CreateSetupDone(b, text(b, v.username));
}

Offset<wire::SignedIn> write(Builder& b, core::SignedIn const& v) {
    auto const username = text(b, v.username);
    auto const address = text(b, v.address);
    return wire::CreateSignedIn(b, username, address);
}

Offset<wire::SignInFailed> write(Builder& b, core::SignInFailed const& v) {
    auto const username = text(b, v.username);
    auto const address = text(b, v.address);
    return wire::CreateSignInFailed(b, username, address);
}

Offset<wire::SignedOut> write(Builder& b, core::SignedOut const& v) {
    return wire::CreateSignedOut(b, text(b, v.username));
}

Offset<wire::UserAdded> write(Builder& b, core::UserAdded const& v) {
    return wire::CreateUserAdded(b, text(b, v.username), to_wire(v.role));
}

Offset<wire::UserChanged> write(Builder& b, core::UserChanged const& v) {
    return wire::CreateUserChanged(
        b, text(b, v.username), to_wire(v.role), v.disabled, v.password_changed
    );
}

Offset<wire::UserRemoved> write(Builder& b, core::UserRemoved const& v) {
    return wire::CreateUserRemoved(b, text(b, v.username));
}

Offset<wire::TokenCreated> write(Builder& b, core::TokenCreated const& v) {
    auto const token_id = text(b, v.token_id);
    auto const name = text(b, v.name);
    std::optional<std::int64_t> expires_at;
    if (v.expires_at)
        expires_at = micros(*v.expires_at);
    return wire::CreateTokenCreated(b, token_id, name, to_wire(v.role), expires_at);
}

Offset<wire::TokenRevoked> write(Builder& b, core::TokenRevoked const& v) {
    return wire::CreateTokenRevoked(b, text(b, v.token_id));
}

Offset<wire::NotificationDismissed> write(Builder& b, core::NotificationDismissed const& v) {
    return wire::CreateNotificationDismissed(b, text(b, v.notification_id));
}

Offset<wire::SettingsChanged> write(Builder& b, core::SettingsChanged const& v) {
    std::vector<Offset<wire::SettingChange>> changes;
    for (auto const& change : v.changes) {
        auto const name = text(b, change.first);
        auto const value = text(b, change.second);
        changes.push_back(wire::CreateSettingChange(b, name, value));
    }
    return wire::CreateSettingsChanged(b, b.CreateVector(changes));
}

// process

Offset<wire::ManagerStarted> write(Builder& b, core::ManagerStarted const& v) {
    return wire::CreateManagerStarted(b, text(b, v.version));
}

Offset<wire::ManagerStopped> write(Builder& b, core::ManagerStopped const&) {
    return wire::CreateManagerStopped(b);
}

Offset<wire::RollbackAccepted> write(Builder& b, core::RollbackAccepted const& v) {
    return wire::CreateRollbackAccepted(b, v.epoch);
}

// The union names the table as the variant does; a payload out of order would be read as another
// one.
template <class Table>
Offset<void> at_place(Offset<Table> table, std::size_t index) {
    ASSERT(std::size_t(wire::PayloadDataTraits<Table>::enum_value) == index + 1);
    return table.Union();
}

} // namespace

Offset<void> write_payload(Builder& builder, core::Payload const& payload) {
    return std::visit(
        [&](auto const& value) { return at_place(write(builder, value), payload.index()); }, payload
    );
}

} // namespace cpm::eventstore
