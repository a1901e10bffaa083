#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "core/guards.hpp"
#include "core/result.hpp"
#include "core/server_state.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cpm::core {

/// The events of one decision, in order. Few: kept without an allocation.
using Payloads = boost::container::small_vector<Payload, 3>;

// --- power requests (status model 1.4, HTTP "Guards") ---

struct PowerDecision {
    Payloads events;              ///< PowerRequested, or PowerRefused; none when unchanged
    std::optional<Error> refusal; ///< the standby time, or a guard
};

/// A request for `target`. The standby time is checked first, also for what already holds; then
/// what already holds is "unchanged" (no events, no refusal); then the guards, for OFF alone.
PowerDecision
decide_power(Server const& server, PowerStatus target, seconds standby, PowerGuards const& guards);

// --- reports ---

/// What an agent reports.
struct Report {
    HeartbeatStatus status{}; ///< ON or Stopping
    std::optional<BootIdentity> identity;
    std::optional<std::uint64_t> report;
    std::string nonce;
    std::string blocked_by;
    Leaving leaving = Leaving::No;
    std::string agent_version;
    std::string address;
    std::vector<std::string> woke{}; ///< the wakes this agent was asked for and has sent
};

/// A heartbeat: it counts (HeartbeatReceived), or not (ReportIgnored; the second of a replaced
/// identity sets its agent aside); an ON while power is OFF may adopt the server or re-assert the
/// OFF, in the same decision. `timeout`: the silence after which this very report counts as lost.
Payloads decide_heartbeat(Server const& server, Report const& report, seconds timeout);

/// Whether what decide_heartbeat says would leave the server as it is but for report numbers,
/// times, and what its agent tells of itself: its version and address, and whether it can verify.
bool is_routine(Server const& server, Payloads const& events);

// --- deadlines ---

/// The deadline of one heartbeat has passed: a loss, unless another heartbeat came meanwhile.
Payloads decide_silence(ServerState const& state, Sequence heartbeat);

/// The standby time of one request has passed, unless it was closed or another request came.
Payloads decide_elapsed(ServerState const& state, Sequence request, bool late);

/// With release_standby_when_settled: closes the standby time if actual is what was asked for. For
/// the state *after* a decision's other events.
Payloads decide_release(ServerState const& state);

/// Takes back a request that was never acknowledged; `before` is the server as it was before that
/// request.
PowerWithdrawn decide_withdrawal(ServerState const& before, Sequence request);

} // namespace cpm::core
