#pragma once

#include "core/actor.hpp"
#include "core/events/fleet.hpp"
#include "core/events/heartbeats.hpp"
#include "core/events/people.hpp"
#include "core/events/power.hpp"
#include "core/events/process.hpp"
#include "core/ids.hpp"
#include "core/status.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace cpm::core {

/// What happened. The order is the order of the schema's union: types are only ever added at the
/// end.
using Payload = std::variant<
    ServerAdded,
    ServerUpdated,
    ServerRemoved,
    JoinTokenCreated,
    AgentJoined,
    AgentTokenRotated,
    AgentRevoked,
    AgentSetAside,
    AgentReinstated, //
    PowerRequested,
    PowerRefused,
    PowerAdopted,
    PowerReasserted,
    PowerWithdrawn,
    StandbyElapsed,
    StandbyReleased,
    OrderSent,
    WakeSent, //
    HeartbeatReceived,
    HeartbeatLost,
    ReportIgnored,
    HeartbeatsCompacted, //
    SetupDone,
    SignedIn,
    SignInFailed,
    SignedOut,
    UserAdded,
    UserChanged,
    UserRemoved,
    TokenCreated,
    TokenRevoked,
    NotificationDismissed,
    SettingsChanged, //
    ManagerStarted,
    ManagerStopped,
    RollbackAccepted>;

enum class Family : std::uint8_t { Fleet, Power, Heartbeats, People, Process };

/// One entry of the log: appended once, never changed.
struct Event {
    Sequence sequence;
    Sequence decision; ///< the first sequence of its decision
    WallTime at;       ///< for people; the sequence is the order
    ServerId server;   ///< none for events about people and the process
    Actor actor;
    Sequence cause; ///< the event that led to this one, or none
    /// The status the server had after the decision, so that a replay by changed code shows where
    /// it disagrees.
    std::optional<ActualStatus> actual;
    Payload payload;
    bool operator==(Event const&) const = default;
};

std::string_view to_string(Family family);
std::optional<Family> parse_family(std::string_view text);

/// The type's name as the API, the log and the tools write it: "PowerRequested".
std::string_view type_name(Payload const& payload);
Family family_of(Payload const& payload);

/// All type names, by Payload index.
std::span<std::string_view const> type_names();

} // namespace cpm::core
