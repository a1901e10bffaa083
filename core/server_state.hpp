#pragma once

#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/status.hpp"

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace cpm::core {

/// The standby time: the lag allowed for a power change. While it is open no further request is
/// accepted.
enum class Standby : std::uint8_t { Open, Elapsed };

/// The last power request, as far as it still matters (status model 1.2).
struct Request {
    Sequence sequence; ///< its PowerRequested
    PowerStatus target{};
    Standby standby{};
    /// Target OFF, asked while the server was reporting; ends for good as soon as another identity
    /// reports.
    bool ordered = false;
    /// The last report was an unblocked Stopping, sent while the manifest said OFF, of no other
    /// identity.
    bool answered = false;
    /// Target OFF, or the server was ON when asked, or an ON came since.
    bool confirmed = false;
    bool operator==(Request const&) const = default;
};

/// An identity that was recorded once and then replaced: its reports no longer count.
struct EarlierIdentity {
    BootIdentity identity;
    bool ignored = false; ///< it has reported since: the next time its server's agent is set aside
    bool operator==(EarlierIdentity const&) const = default;
};

/// All that the status of one server depends on (status model 1.2). A value; changed by evolve()
/// alone.
struct ServerState {
    static constexpr std::size_t kEarlierIdentities = 16;

    PowerStatus power = PowerStatus::Off;
    HeartbeatStatus previous = HeartbeatStatus::None;
    HeartbeatStatus current = HeartbeatStatus::None;
    std::optional<Request> request;
    std::optional<BootIdentity> boot; ///< of the last heartbeat that carried one
    boost::container::static_vector<EarlierIdentity, kEarlierIdentities> earlier; ///< newest first
    std::optional<std::uint64_t> report; ///< the last report number of `boot`
    std::string blocked_by;              ///< of the last heartbeat; empty: nothing blocks
    Sequence last_heartbeat;             ///< the last HeartbeatReceived; what a loss must name
    bool adopted = false;   ///< turned on by hand; until the next heartbeat, loss or request (1.4)
    bool set_aside = false; ///< a replaced identity reported twice: no order, OFF refused (1.4)
    ActualStatus actual = ActualStatus::Unknown;

    bool operator==(ServerState const&) const = default;
};

/// Whether the standby time is open: no further power request is accepted.
inline bool standby_is_open(ServerState const& state) {
    return state.request && state.request->standby == Standby::Open;
}

/// What the manifest says (1.4): OFF exactly while power is OFF, the request is ordered, and its
/// standby time is open or it is answered. HTTP may turn this OFF into ON on its way to an agent,
/// never the other way.
inline PowerStatus manifest_power(ServerState const& state) {
    bool const off = state.power == PowerStatus::Off && state.request && state.request->ordered &&
                     (state.request->standby == Standby::Open || state.request->answered);
    return off ? PowerStatus::Off : PowerStatus::On;
}

} // namespace cpm::core
