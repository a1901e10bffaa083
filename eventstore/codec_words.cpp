// The enumerators of the core and those of the schema, each way in a switch without a default:
// whoever adds one to either side is told here by the compiler. The numbers of the core may change,
// those of the schema never do.
#include "core/assert.hpp"
#include "eventstore/codec_parts.hpp"

#include <event_generated.h>

namespace cpm::eventstore {
namespace {

// The first enumerator stands in for what is not known; the fault keeps it from being used.
template <class Value, class WireValue>
Value unknown(char const* what, WireValue value, Reading& reading) {
    reading.note(
        "unknown " + std::string(what) + " " + std::to_string(static_cast<unsigned>(value))
    );
    return Value{};
}

} // namespace

wire::ActorKind to_wire(core::ActorKind value) {
    switch (value) {
    case core::ActorKind::User: return wire::ActorKind::User;
    case core::ActorKind::Token: return wire::ActorKind::Token;
    case core::ActorKind::Agent: return wire::ActorKind::Agent;
    case core::ActorKind::Timer: return wire::ActorKind::Timer;
    case core::ActorKind::Policy: return wire::ActorKind::Policy;
    }
    ASSERT(!"an enumerator of ActorKind");
    return {};
}

core::ActorKind from_wire(wire::ActorKind value, Reading& reading) {
    switch (value) {
    case wire::ActorKind::User: return core::ActorKind::User;
    case wire::ActorKind::Token: return core::ActorKind::Token;
    case wire::ActorKind::Agent: return core::ActorKind::Agent;
    case wire::ActorKind::Timer: return core::ActorKind::Timer;
    case wire::ActorKind::Policy: return core::ActorKind::Policy;
    }
    return unknown<core::ActorKind>("actor kind", value, reading);
}

wire::ActualStatus to_wire(core::ActualStatus value) {
    switch (value) {
    case core::ActualStatus::Unknown: return wire::ActualStatus::Unknown;
    case core::ActualStatus::On: return wire::ActualStatus::On;
    case core::ActualStatus::Off: return wire::ActualStatus::Off;
    case core::ActualStatus::Starting: return wire::ActualStatus::Starting;
    case core::ActualStatus::StartupDelayed: return wire::ActualStatus::StartupDelayed;
    case core::ActualStatus::BeforeStopping: return wire::ActualStatus::BeforeStopping;
    case core::ActualStatus::Stopping: return wire::ActualStatus::Stopping;
    case core::ActualStatus::ShutdownDelayed: return wire::ActualStatus::ShutdownDelayed;
    case core::ActualStatus::ManuallyOn: return wire::ActualStatus::ManuallyOn;
    case core::ActualStatus::Crashed: return wire::ActualStatus::Crashed;
    }
    ASSERT(!"an enumerator of ActualStatus");
    return {};
}

core::ActualStatus from_wire(wire::ActualStatus value, Reading& reading) {
    switch (value) {
    case wire::ActualStatus::Unknown: return core::ActualStatus::Unknown;
    case wire::ActualStatus::On: return core::ActualStatus::On;
    case wire::ActualStatus::Off: return core::ActualStatus::Off;
    case wire::ActualStatus::Starting: return core::ActualStatus::Starting;
    case wire::ActualStatus::StartupDelayed: return core::ActualStatus::StartupDelayed;
    case wire::ActualStatus::BeforeStopping: return core::ActualStatus::BeforeStopping;
    case wire::ActualStatus::Stopping: return core::ActualStatus::Stopping;
    case wire::ActualStatus::ShutdownDelayed: return core::ActualStatus::ShutdownDelayed;
    case wire::ActualStatus::ManuallyOn: return core::ActualStatus::ManuallyOn;
    case wire::ActualStatus::Crashed: return core::ActualStatus::Crashed;
    }
    return unknown<core::ActualStatus>("actual status", value, reading);
}

wire::ErrorCode to_wire(core::ErrorCode value) {
    switch (value) {
    case core::ErrorCode::Malformed: return wire::ErrorCode::Malformed;
    case core::ErrorCode::Validation: return wire::ErrorCode::Validation;
    case core::ErrorCode::NotSignedIn: return wire::ErrorCode::NotSignedIn;
    case core::ErrorCode::NotAllowed: return wire::ErrorCode::NotAllowed;
    case core::ErrorCode::NotFound: return wire::ErrorCode::NotFound;
    case core::ErrorCode::Gone: return wire::ErrorCode::Gone;
    case core::ErrorCode::Conflict: return wire::ErrorCode::Conflict;
    case core::ErrorCode::Stale: return wire::ErrorCode::Stale;
    case core::ErrorCode::StandbyOpen: return wire::ErrorCode::StandbyOpen;
    case core::ErrorCode::Protected: return wire::ErrorCode::Protected;
    case core::ErrorCode::OwnHost: return wire::ErrorCode::OwnHost;
    case core::ErrorCode::SetAside: return wire::ErrorCode::SetAside;
    case core::ErrorCode::WrongMachine: return wire::ErrorCode::WrongMachine;
    case core::ErrorCode::Throttled: return wire::ErrorCode::Throttled;
    case core::ErrorCode::KeyReused: return wire::ErrorCode::KeyReused;
    case core::ErrorCode::Starting: return wire::ErrorCode::Starting;
    case core::ErrorCode::RolledBack: return wire::ErrorCode::RolledBack;
    case core::ErrorCode::Fenced: return wire::ErrorCode::Fenced;
    case core::ErrorCode::NoSpace: return wire::ErrorCode::NoSpace;
    case core::ErrorCode::Storage: return wire::ErrorCode::Storage;
    case core::ErrorCode::Corrupt: return wire::ErrorCode::Corrupt;
    case core::ErrorCode::MinOn: return wire::ErrorCode::MinOn;
    case core::ErrorCode::Confirm: return wire::ErrorCode::Confirm;
    }
    ASSERT(!"an enumerator of ErrorCode");
    return {};
}

core::ErrorCode from_wire(wire::ErrorCode value, Reading& reading) {
    switch (value) {
    case wire::ErrorCode::Malformed: return core::ErrorCode::Malformed;
    case wire::ErrorCode::Validation: return core::ErrorCode::Validation;
    case wire::ErrorCode::NotSignedIn: return core::ErrorCode::NotSignedIn;
    case wire::ErrorCode::NotAllowed: return core::ErrorCode::NotAllowed;
    case wire::ErrorCode::NotFound: return core::ErrorCode::NotFound;
    case wire::ErrorCode::Gone: return core::ErrorCode::Gone;
    case wire::ErrorCode::Conflict: return core::ErrorCode::Conflict;
    case wire::ErrorCode::Stale: return core::ErrorCode::Stale;
    case wire::ErrorCode::StandbyOpen: return core::ErrorCode::StandbyOpen;
    case wire::ErrorCode::Protected: return core::ErrorCode::Protected;
    case wire::ErrorCode::OwnHost: return core::ErrorCode::OwnHost;
    case wire::ErrorCode::SetAside: return core::ErrorCode::SetAside;
    case wire::ErrorCode::WrongMachine: return core::ErrorCode::WrongMachine;
    case wire::ErrorCode::Throttled: return core::ErrorCode::Throttled;
    case wire::ErrorCode::KeyReused: return core::ErrorCode::KeyReused;
    case wire::ErrorCode::Starting: return core::ErrorCode::Starting;
    case wire::ErrorCode::RolledBack: return core::ErrorCode::RolledBack;
    case wire::ErrorCode::Fenced: return core::ErrorCode::Fenced;
    case wire::ErrorCode::NoSpace: return core::ErrorCode::NoSpace;
    case wire::ErrorCode::Storage: return core::ErrorCode::Storage;
    case wire::ErrorCode::Corrupt: return core::ErrorCode::Corrupt;
    case wire::ErrorCode::MinOn: return core::ErrorCode::MinOn;
    case wire::ErrorCode::Confirm: return core::ErrorCode::Confirm;
    }
    return unknown<core::ErrorCode>("reason", value, reading);
}

wire::HeartbeatStatus to_wire(core::HeartbeatStatus value) {
    switch (value) {
    case core::HeartbeatStatus::None: return wire::HeartbeatStatus::None;
    case core::HeartbeatStatus::On: return wire::HeartbeatStatus::On;
    case core::HeartbeatStatus::Stopping: return wire::HeartbeatStatus::Stopping;
    }
    ASSERT(!"an enumerator of HeartbeatStatus");
    return {};
}

core::HeartbeatStatus from_wire(wire::HeartbeatStatus value, Reading& reading) {
    switch (value) {
    case wire::HeartbeatStatus::None: return core::HeartbeatStatus::None;
    case wire::HeartbeatStatus::On: return core::HeartbeatStatus::On;
    case wire::HeartbeatStatus::Stopping: return core::HeartbeatStatus::Stopping;
    }
    return unknown<core::HeartbeatStatus>("heartbeat status", value, reading);
}

wire::IgnoredBecause to_wire(core::IgnoredBecause value) {
    switch (value) {
    case core::IgnoredBecause::StaleReport: return wire::IgnoredBecause::StaleReport;
    case core::IgnoredBecause::ReplacedIdentity: return wire::IgnoredBecause::ReplacedIdentity;
    }
    ASSERT(!"an enumerator of IgnoredBecause");
    return {};
}

core::IgnoredBecause from_wire(wire::IgnoredBecause value, Reading& reading) {
    switch (value) {
    case wire::IgnoredBecause::StaleReport: return core::IgnoredBecause::StaleReport;
    case wire::IgnoredBecause::ReplacedIdentity: return core::IgnoredBecause::ReplacedIdentity;
    }
    return unknown<core::IgnoredBecause>("cause of ignoring", value, reading);
}

wire::Leaving to_wire(core::Leaving value) {
    switch (value) {
    case core::Leaving::No: return wire::Leaving::No;
    case core::Leaving::PowerOff: return wire::Leaving::PowerOff;
    case core::Leaving::Reboot: return wire::Leaving::Reboot;
    case core::Leaving::Suspend: return wire::Leaving::Suspend;
    }
    ASSERT(!"an enumerator of Leaving");
    return {};
}

core::Leaving from_wire(wire::Leaving value, Reading& reading) {
    switch (value) {
    case wire::Leaving::No: return core::Leaving::No;
    case wire::Leaving::PowerOff: return core::Leaving::PowerOff;
    case wire::Leaving::Reboot: return core::Leaving::Reboot;
    case wire::Leaving::Suspend: return core::Leaving::Suspend;
    }
    return unknown<core::Leaving>("way of leaving", value, reading);
}

wire::OffMethod to_wire(core::OffMethod value) {
    switch (value) {
    case core::OffMethod::PowerOff: return wire::OffMethod::PowerOff;
    case core::OffMethod::Suspend: return wire::OffMethod::Suspend;
    case core::OffMethod::Hibernate: return wire::OffMethod::Hibernate;
    }
    ASSERT(!"an enumerator of OffMethod");
    return {};
}

core::OffMethod from_wire(wire::OffMethod value, Reading& reading) {
    switch (value) {
    case wire::OffMethod::PowerOff: return core::OffMethod::PowerOff;
    case wire::OffMethod::Suspend: return core::OffMethod::Suspend;
    case wire::OffMethod::Hibernate: return core::OffMethod::Hibernate;
    }
    return unknown<core::OffMethod>("method of switching off", value, reading);
}

wire::OrderWay to_wire(core::OrderWay value) {
    switch (value) {
    case core::OrderWay::Heartbeat: return wire::OrderWay::Heartbeat;
    case core::OrderWay::Manifest: return wire::OrderWay::Manifest;
    }
    ASSERT(!"an enumerator of OrderWay");
    return {};
}

core::OrderWay from_wire(wire::OrderWay value, Reading& reading) {
    switch (value) {
    case wire::OrderWay::Heartbeat: return core::OrderWay::Heartbeat;
    case wire::OrderWay::Manifest: return core::OrderWay::Manifest;
    }
    return unknown<core::OrderWay>("way of an order", value, reading);
}

wire::PowerStatus to_wire(core::PowerStatus value) {
    switch (value) {
    case core::PowerStatus::Off: return wire::PowerStatus::Off;
    case core::PowerStatus::On: return wire::PowerStatus::On;
    }
    ASSERT(!"an enumerator of PowerStatus");
    return {};
}

core::PowerStatus from_wire(wire::PowerStatus value, Reading& reading) {
    switch (value) {
    case wire::PowerStatus::Off: return core::PowerStatus::Off;
    case wire::PowerStatus::On: return core::PowerStatus::On;
    }
    return unknown<core::PowerStatus>("power status", value, reading);
}

wire::Role to_wire(core::Role value) {
    switch (value) {
    case core::Role::Viewer: return wire::Role::Viewer;
    case core::Role::Operator: return wire::Role::Operator;
    case core::Role::Admin: return wire::Role::Admin;
    }
    ASSERT(!"an enumerator of Role");
    return {};
}

core::Role from_wire(wire::Role value, Reading& reading) {
    switch (value) {
    case wire::Role::Viewer: return core::Role::Viewer;
    case wire::Role::Operator: return core::Role::Operator;
    case wire::Role::Admin: return core::Role::Admin;
    }
    return unknown<core::Role>("role", value, reading);
}

wire::Standby to_wire(core::Standby value) {
    switch (value) {
    case core::Standby::Open: return wire::Standby::Open;
    case core::Standby::Elapsed: return wire::Standby::Elapsed;
    }
    ASSERT(!"an enumerator of Standby");
    return {};
}

core::Standby from_wire(wire::Standby value, Reading& reading) {
    switch (value) {
    case wire::Standby::Open: return core::Standby::Open;
    case wire::Standby::Elapsed: return core::Standby::Elapsed;
    }
    return unknown<core::Standby>("standby", value, reading);
}

} // namespace cpm::eventstore
