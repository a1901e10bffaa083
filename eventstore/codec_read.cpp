// Tables, already verified, to payloads. The Verifier knows nothing of values: enumerators and
// durations are checked here.
#include "eventstore/codec_parts.hpp"

#include <algorithm>
#include <event_generated.h>

namespace cpm::eventstore {
namespace {

std::string text(flatbuffers::String const* value, Reading& r) {
    if (!value)
        return {};
    if (value->size() > r.text_left) {
        r.note("its text unfolds to more than a record holds");
        return {};
    }
    r.text_left -= value->size();
    return value->str();
}

core::seconds duration(std::int64_t count, Reading& r) {
    if (count < 0)
        r.note("a duration of " + std::to_string(count) + " s");
    return core::seconds(count);
}

std::optional<core::seconds> duration(std::optional<std::int64_t> count, Reading& r) {
    if (!count)
        return std::nullopt;
    return duration(*count, r);
}

core::WallTime moment(std::int64_t micros) {
    return core::WallTime(std::chrono::microseconds(micros));
}

core::MacAddress mac(wire::Mac const& wire) {
    core::MacAddress address;
    std::copy(wire.bytes()->begin(), wire.bytes()->end(), address.bytes.begin());
    return address;
}

core::Hash hash(wire::Hash const& wire) {
    core::Hash value;
    std::copy(wire.bytes()->begin(), wire.bytes()->end(), value.begin());
    return value;
}

core::BootIdentity identity(wire::BootIdentity const& wire) {
    core::BootIdentity value;
    std::copy(wire.boot_id()->begin(), wire.boot_id()->end(), value.boot_id.bytes.begin());
    value.resume_count = wire.resume_count();
    return value;
}

std::optional<core::BootIdentity> identity(wire::BootIdentity const* wire) {
    return wire ? std::optional(identity(*wire)) : std::nullopt;
}

std::vector<core::MacAddress> macs(flatbuffers::Vector<wire::Mac const*> const* wire) {
    std::vector<core::MacAddress> addresses;
    if (!wire)
        return addresses;
    addresses.reserve(wire->size());
    for (auto const* card : *wire)
        addresses.push_back(mac(*card));
    return addresses;
}

core::WakeSettings wake(wire::WakeSettings const* w, Reading& r) {
    core::WakeSettings value;
    if (!w)
        return value;
    value.broadcast_address = text(w->broadcast_address(), r);
    if (auto const* ports = w->ports())
        value.ports.assign(ports->begin(), ports->end());
    value.interface = text(w->interface(), r);
    return value;
}

core::ServerConfig config(wire::ServerConfig const& w, Reading& r) {
    core::ServerConfig value;
    value.name = text(w.name(), r);
    value.mac_addresses = macs(w.mac_addresses());
    if (w.tags())
        for (auto const* tag : *w.tags())
            value.tags.push_back(text(tag, r));
    value.note = text(w.note(), r);
    value.heartbeat_interval = duration(w.heartbeat_interval(), r);
    value.standby_time = duration(w.standby_time(), r);
    value.missed_heartbeats = w.missed_heartbeats();
    value.wake = wake(w.wake(), r);
    value.off_method = from_wire(w.off_method(), r);
    value.is_protected = w.is_protected();
    value.allow_unsigned = w.allow_unsigned();
    return value;
}

// fleet

core::ServerAdded read(wire::ServerAdded const& w, Reading& r) {
    return {.config = config(*w.config(), r)};
}

core::ServerUpdated read(wire::ServerUpdated const& w, Reading& r) {
    return {.config = config(*w.config(), r)};
}

core::ServerRemoved read(wire::ServerRemoved const&, Reading&) {
    return {};
}

core::JoinTokenCreated read(wire::JoinTokenCreated const& w, Reading& r) {
    return {
        .token_id = text(w.token_id(), r),
        .expires_at = moment(w.expires_at()),
        .any_machine = w.any_machine(),
    };
}

core::AgentJoined read(wire::AgentJoined const& w, Reading& r) {
    return {
        .token_id = text(w.token_id(), r),
        .hostname = text(w.hostname(), r),
        .agent_version = text(w.agent_version(), r),
        .os = text(w.os(), r),
        .address = text(w.address(), r),
        .mac_addresses = macs(w.mac_addresses()),
    };
}

core::AgentTokenRotated read(wire::AgentTokenRotated const&, Reading&) {
    return {};
}

core::AgentRevoked read(wire::AgentRevoked const&, Reading&) {
    return {};
}

core::AgentSetAside read(wire::AgentSetAside const& w, Reading&) {
    return {.identity = identity(*w.identity())};
}

core::AgentReinstated read(wire::AgentReinstated const&, Reading&) {
    return {};
}

// power

core::PowerRequested read(wire::PowerRequested const& w, Reading& r) {
    return {.target = from_wire(w.target(), r), .standby = duration(w.standby(), r)};
}

core::PowerRefused read(wire::PowerRefused const& w, Reading& r) {
    return {.target = from_wire(w.target(), r), .reason = from_wire(w.reason(), r)};
}

core::PowerAdopted read(wire::PowerAdopted const& w, Reading&) {
    return {
        .identity = identity(w.identity()),
        .overruled = {w.overruled()},
        .notify = w.notify(),
    };
}

core::PowerReasserted read(wire::PowerReasserted const& w, Reading&) {
    return {.request = {w.request()}};
}

std::optional<core::Request> restored(wire::Request const* w, Reading& r) {
    if (!w)
        return std::nullopt;
    return core::Request{
        .sequence = {w->sequence()},
        .target = from_wire(w->target(), r),
        .standby = from_wire(w->standby(), r),
        .ordered = w->ordered(),
        .answered = w->answered(),
        .confirmed = w->confirmed(),
    };
}

core::PowerWithdrawn read(wire::PowerWithdrawn const& w, Reading& r) {
    return {
        .request = {w.request()},
        .power = from_wire(w.power(), r),
        .previous = from_wire(w.previous(), r),
        .current = from_wire(w.current(), r),
        .restored = restored(w.restored(), r),
    };
}

core::StandbyElapsed read(wire::StandbyElapsed const& w, Reading&) {
    return {.request = {w.request()}, .late = w.late()};
}

core::StandbyReleased read(wire::StandbyReleased const& w, Reading&) {
    return {.request = {w.request()}};
}

core::OrderSent read(wire::OrderSent const& w, Reading& r) {
    return {
        .request = {w.request()},
        .identity = identity(w.identity()),
        .nonce = text(w.nonce(), r),
        .way = from_wire(w.way(), r),
    };
}

core::WakeSent read(wire::WakeSent const& w, Reading& r) {
    return {
        .request = {w.request()},
        .mac = mac(*w.mac()),
        .way = text(w.way(), r),
        .ok = w.ok(),
        .detail = text(w.detail(), r),
        .relay = {w.relay()},
    };
}

// heartbeats

core::HeartbeatReceived read(wire::HeartbeatReceived const& w, Reading& r) {
    return {
        .status = from_wire(w.status(), r),
        .identity = identity(w.identity()),
        .report = w.report(),
        .timeout = duration(w.timeout(), r),
        .blocked_by = text(w.blocked_by(), r),
        .leaving = from_wire(w.leaving(), r),
        .can_verify = w.can_verify(),
        .agent_version = text(w.agent_version(), r),
        .address = text(w.address(), r),
    };
}

core::HeartbeatLost read(wire::HeartbeatLost const& w, Reading&) {
    return {.heartbeat = {w.heartbeat()}};
}

core::ReportIgnored read(wire::ReportIgnored const& w, Reading& r) {
    return {
        .status = from_wire(w.status(), r),
        .identity = identity(*w.identity()),
        .report = w.report(),
        .because = from_wire(w.because(), r),
    };
}

core::HeartbeatsCompacted read(wire::HeartbeatsCompacted const& w, Reading&) {
    return {
        .first = {w.first()},
        .last = {w.last()},
        .count = w.count(),
        .prev_hash = hash(*w.prev_hash()),
        .last_hash = hash(*w.last_hash()),
    };
}

// people

core::SetupDone read(wire::SetupDone const& w, Reading& r) {
    return {.username = text(w.username(), r)};
}

core::SignedIn read(wire::SignedIn const& w, Reading& r) {
    return {.username = text(w.username(), r), .address = text(w.address(), r)};
}

core::SignInFailed read(wire::SignInFailed const& w, Reading& r) {
    return {.username = text(w.username(), r), .address = text(w.address(), r)};
}

core::SignedOut read(wire::SignedOut const& w, Reading& r) {
    return {.username = text(w.username(), r)};
}

core::UserAdded read(wire::UserAdded const& w, Reading& r) {
    return {.username = text(w.username(), r), .role = from_wire(w.role(), r)};
}

core::UserChanged read(wire::UserChanged const& w, Reading& r) {
    return {
        .username = text(w.username(), r),
        .role = from_wire(w.role(), r),
        .disabled = w.disabled(),
        .password_changed = w.password_changed(),
    };
}

core::UserRemoved read(wire::UserRemoved const& w, Reading& r) {
    return {.username = text(w.username(), r)};
}

core::TokenCreated read(wire::TokenCreated const& w, Reading& r) {
    core::TokenCreated value{
        .token_id = text(w.token_id(), r),
        .name = text(w.name(), r),
        .role = from_wire(w.role(), r),
        .expires_at = {},
    };
    if (auto const micros = w.expires_at())
        value.expires_at = moment(*micros);
    return value;
}

core::TokenRevoked read(wire::TokenRevoked const& w, Reading& r) {
    return {.token_id = text(w.token_id(), r)};
}

core::NotificationDismissed read(wire::NotificationDismissed const& w, Reading& r) {
    return {.notification_id = text(w.notification_id(), r)};
}

core::SettingsChanged read(wire::SettingsChanged const& w, Reading& r) {
    core::SettingsChanged value;
    if (w.changes())
        for (auto const* change : *w.changes()) {
            auto name = text(change->name(), r);
            value.changes.emplace_back(std::move(name), text(change->value(), r));
        }
    return value;
}

// process

core::ManagerStarted read(wire::ManagerStarted const& w, Reading& r) {
    return {.version = text(w.version(), r)};
}

core::ManagerStopped read(wire::ManagerStopped const&, Reading&) {
    return {};
}

core::RollbackAccepted read(wire::RollbackAccepted const& w, Reading&) {
    return {.epoch = w.epoch()};
}

} // namespace

core::Payload read_payload(wire::PayloadData type, void const* table, Reading& r) {
    switch (type) {
    case wire::PayloadData::NONE: break;
#define CPM_READ(Type)                                                                             \
    case wire::PayloadData::Type: return read(*static_cast<wire::Type const*>(table), r)
        CPM_READ(ServerAdded);
        CPM_READ(ServerUpdated);
        CPM_READ(ServerRemoved);
        CPM_READ(JoinTokenCreated);
        CPM_READ(AgentJoined);
        CPM_READ(AgentTokenRotated);
        CPM_READ(AgentRevoked);
        CPM_READ(AgentSetAside);
        CPM_READ(AgentReinstated);
        CPM_READ(PowerRequested);
        CPM_READ(PowerRefused);
        CPM_READ(PowerAdopted);
        CPM_READ(PowerReasserted);
        CPM_READ(PowerWithdrawn);
        CPM_READ(StandbyElapsed);
        CPM_READ(StandbyReleased);
        CPM_READ(OrderSent);
        CPM_READ(WakeSent);
        CPM_READ(HeartbeatReceived);
        CPM_READ(HeartbeatLost);
        CPM_READ(ReportIgnored);
        CPM_READ(HeartbeatsCompacted);
        CPM_READ(SetupDone);
        CPM_READ(SignedIn);
        CPM_READ(SignInFailed);
        CPM_READ(SignedOut);
        CPM_READ(UserAdded);
        CPM_READ(UserChanged);
        CPM_READ(UserRemoved);
        CPM_READ(TokenCreated);
        CPM_READ(TokenRevoked);
        CPM_READ(NotificationDismissed);
        CPM_READ(SettingsChanged);
        CPM_READ(ManagerStarted);
        CPM_READ(ManagerStopped);
        CPM_READ(RollbackAccepted);
#undef CPM_READ
    }
    r.note("unknown event type " + std::to_string(unsigned(type)));
    return {};
}

} // namespace cpm::eventstore
