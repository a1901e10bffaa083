#pragma once

#include "core/result.hpp"
#include "core/server_config.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cpm::core {

/// The settings people change at run time: a fold of SettingsChanged. (What a process needs to
/// start is its command line.)
struct Settings {
    seconds heartbeat_interval{10};
    std::uint32_t missed_heartbeats = 3;
    seconds standby_time{300};
    /// Close the standby time as soon as actual is what was asked for (1.4).
    bool release_standby_when_settled = false;
    /// Between the wakes of two servers (1.6).
    milliseconds wake_stagger{200};
    /// Agents may call over plain HTTP from other machines than this one (HTTP 3.5).
    bool agents_over_plain_http = false;
    /// GET /metrics needs no token (HTTP 3.6).
    bool metrics_open = false;
    /// The metrics show each server's status and last heartbeat.
    bool metrics_per_server = true;
    /// Of a tag: so many servers must stay wanted ON (HTTP "Guards").
    std::map<std::string, std::uint32_t> min_on{};
    /// OFF of more servers than this at once must be confirmed (HTTP "Guards").
    std::uint32_t confirm_above = 5;
    /// A session ends so long after its last request, and so long after it was opened (HTTP 3.5).
    seconds session_idle{12 * 3600};
    seconds session_lifetime{7 * 24 * 3600};
    /// Routine heartbeats are compacted away when they are older than this, or when the records
    /// after them take more than this: whichever is first (event log 2.3).
    days heartbeat_retention{14};
    std::uint64_t heartbeat_retention_bytes = 10ULL << 30;
    bool operator==(Settings const&) const = default;
};

/// One changed setting, as it stands in the log: the API's name and its value as JSON text ("300",
/// "true", "{\"gpu\":2}").
using SettingChange = std::pair<std::string, std::string>;

/// Applies one change; names the field when there is no such setting or the value is out of range.
Result<void> apply(Settings& settings, SettingChange const& change);

/// All settings by name with their values as JSON text, in a fixed order.
std::vector<SettingChange> list(Settings const& settings);

/// What counts for one server: its own value or the default.
seconds heartbeat_interval(ServerConfig const& config, Settings const& settings);
/// interval x missed heartbeats (1.1)
seconds heartbeat_timeout(ServerConfig const& config, Settings const& settings);
seconds standby_time(ServerConfig const& config, Settings const& settings);
std::uint32_t missed_heartbeats(ServerConfig const& config, Settings const& settings);

} // namespace cpm::core
