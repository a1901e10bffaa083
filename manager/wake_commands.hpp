#pragma once

#include "manager/power_commands.hpp"
#include "manager/turn.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cpm::manager {

/// One round of packets for a server with an ON request: the manager's own to each MAC, and where
/// those do not reach it, or its first ones brought nobody up, one relay's (status model 1.6).
/// Every packet is an event; returns them, valid until the next decision.
std::span<core::Event const>
send_wake(Turn& turn, core::Server const& server, core::Actor const& actor);

/// A relay reports wakes it was asked for: each is an event of its sleeper. Others are passed over:
/// they were reported before, or are asked of another server by now.
void note_woke(Turn& turn, core::Server const& relay, std::vector<std::string> const& ids);

/// One more packet for a server that is asked to be ON; no power request (HTTP 3.2). None while the
/// request itself is not durable yet: the packet that belongs to it comes next.
struct WakeServer {
    struct Outcome {
        core::Sequence sequence;          ///< of its first WakeSent
        std::vector<core::WakeSent> sent; ///< the manager's own
        std::string relay;                ///< the name of the server that was asked, too; or empty
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerId server;
};
core::Result<WakeServer::Outcome> decide(Turn& turn, WakeServer const& command);

/// A power request ON for every server, decided at once; each passes the same guards, and is
/// accepted, unchanged or refused by itself.
struct WakeAll {
    /// By name, in its order.
    using Outcome = std::vector<std::pair<std::string, core::Result<RequestPower::Outcome>>>;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
};
core::Result<WakeAll::Outcome> decide(Turn& turn, WakeAll const& command);

} // namespace cpm::manager
