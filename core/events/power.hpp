#pragma once

#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/mac_address.hpp"
#include "core/result.hpp"
#include "core/server_state.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cpm::core {

// Family "power": requests, what became of them, and what was sent because of them.

struct PowerRequested {
    PowerStatus target{};
    seconds standby{}; ///< the standby time it opens
    bool operator==(PowerRequested const&) const = default;
};

/// Refused by the standby time or a guard. Changes no status.
struct PowerRefused {
    PowerStatus target{};
    ErrorCode reason{};
    bool operator==(PowerRefused const&) const = default;
};

/// Turned on by hand: power becomes ON.
struct PowerAdopted {
    std::optional<BootIdentity> identity; ///< the one that reported ON
    Sequence overruled;                   ///< the OFF request it overruled, or none
    bool notify = false; ///< people are told: an OFF stood that was not simply completed (1.4)
    bool operator==(PowerAdopted const&) const = default;
};

/// The recorded identity reports ON within the standby time of its OFF: the OFF stands.
struct PowerReasserted {
    Sequence request;
    bool operator==(PowerReasserted const&) const = default;
};

/// A request that was never acknowledged (its sync failed): puts back what was before it, but never
/// an order.
struct PowerWithdrawn {
    Sequence request;
    PowerStatus power{};
    HeartbeatStatus previous{};
    HeartbeatStatus current{};
    std::optional<Request>
        restored; ///< the request that stood before; ordered and answered are false
    bool operator==(PowerWithdrawn const&) const = default;
};

struct StandbyElapsed {
    Sequence request;
    bool late = false; ///< it elapsed while the manager was away
    bool operator==(StandbyElapsed const&) const = default;
};

/// Closed early because actual is what was asked for (setting release_standby_when_settled).
struct StandbyReleased {
    Sequence request;
    bool operator==(StandbyReleased const&) const = default;
};

/// How an OFF was handed out.
enum class OrderWay : std::uint8_t { Heartbeat, Manifest };

struct OrderSent {
    Sequence request;
    std::optional<BootIdentity> identity;
    std::string nonce; ///< empty: unsigned, the server allows it
    OrderWay way{};
    bool operator==(OrderSent const&) const = default;
};

/// A magic packet left for this card, or could not: sent by the manager, or by a server that is ON
/// on the sleeper's segment.
struct WakeSent {
    Sequence request; ///< the ON request it serves
    MacAddress mac;
    std::string way; ///< "UDP 192.0.2.255 port 9 by eth0", "relay"
    bool ok = false;
    std::string detail; ///< why it failed
    ServerId relay{};   ///< whose agent sent it, or was to; none: the manager did
    bool operator==(WakeSent const&) const = default;
};

} // namespace cpm::core
