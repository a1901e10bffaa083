#pragma once

#include "core/hash.hpp"
#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/status.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cpm::core {

// Family "heartbeats": what agents report, and their silence.

/// The system's own wish to go down, as the agent heard it.
enum class Leaving : std::uint8_t { No, PowerOff, Reboot, Suspend };

std::string_view to_string(Leaving leaving);
std::optional<Leaving> parse_leaving(std::string_view text);

struct HeartbeatReceived {
    HeartbeatStatus status{}; ///< ON or Stopping
    std::optional<BootIdentity> identity;
    std::optional<std::uint64_t> report; ///< rises within a boot
    seconds timeout{};                   ///< silence for this long is a loss
    std::string blocked_by;              ///< what keeps the machine from going down; empty: nothing
    Leaving leaving = Leaving::No;
    bool can_verify = false;   ///< it sent a nonce: it can check a signed order
    std::string agent_version; ///< only when it differs from the one known
    std::string address;       ///< the peer; only when it differs from the one known
    bool operator==(HeartbeatReceived const&) const = default;
};

struct HeartbeatLost {
    Sequence heartbeat; ///< the HeartbeatReceived that none followed in time
    bool operator==(HeartbeatLost const&) const = default;
};

enum class IgnoredBecause : std::uint8_t {
    StaleReport,      ///< its report number is not higher than the last of that identity
    ReplacedIdentity, ///< another boot or resume took its place (a clone, a restored disk)
};

struct ReportIgnored {
    HeartbeatStatus status{};
    BootIdentity identity;
    std::optional<std::uint64_t> report;
    IgnoredBecause because{};
    bool operator==(ReportIgnored const&) const = default;
};

/// Appended before routine heartbeats are deleted, so that every number is a record or lies in such
/// a range.
struct HeartbeatsCompacted {
    Sequence first;
    Sequence last;
    std::uint64_t count = 0;
    Hash prev_hash{}; ///< of the record before `first`
    Hash last_hash{}; ///< of the record `last`
    bool operator==(HeartbeatsCompacted const&) const = default;
};

} // namespace cpm::core
