#pragma once

#include "core/fleet.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cpm::core {

/// An OFF for exactly one boot of one server, for one request, asked for with one nonce (1.0,
/// HTTP 3.3).
struct Order {
    OffMethod method{};
    ServerId server;
    BootIdentity identity;
    std::string nonce;
    Sequence request;
    bool operator==(Order const&) const = default;
};

/// Why an agent is told ON although the manifest says OFF.
enum class Notice : std::uint8_t {
    None,
    CannotVerify, ///< it sent no nonce or identity, and the server does not allow unsigned orders
    SetAside,     ///< a replaced identity reports for this server
    Ignored,      ///< this very report did not count
    RolledBack,   ///< the manager's log is older than a witness
    JoinedSince,  ///< without identity, and it had not reported when the OFF was asked for
};

/// What one agent is told.
struct Manifest {
    PowerStatus power_status = PowerStatus::On;
    seconds heartbeat_interval{};
    std::optional<Order> order; ///< only with OFF; an OFF without one is unsigned
    Notice notice = Notice::None;
    bool operator==(Manifest const&) const = default;
};

/// Changes exactly when what the manifest says changes: "ON.10", "OFF.10.4711". Opaque to agents;
/// the ETag.
std::string manifest_version(Manifest const& manifest, Sequence request);

/// Who asks, as far as an order depends on it.
struct Asker {
    std::optional<BootIdentity> identity{};
    std::string nonce{}; ///< empty: it cannot check signatures
    OrderWay way =
        OrderWay::Heartbeat; ///< a held manifest call without the recorded identity is told ON
    bool counted = true;     ///< false: this asker's own report was ignored (1.4)
};

/// Whether the agent that joined last had reported when the standing request was made. One joined
/// on a running machine does not inherit an OFF that was asked of another (1.0): by its
/// identity 1.2 sees that; of an agent without one only the join tells.
bool is_asked_of_agent(Server const& server);

/// What the manifest says to this asker. Only ever turns an OFF into ON.
Manifest
manifest_for(Server const& server, Settings const& settings, Asker const& asker, bool rolled_back);

} // namespace cpm::core
