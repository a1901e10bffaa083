#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cpm::core {

// The words of the status model (1.1). Their texts are the same in the API, the log, the tools and
// the pages.

/// What the power should be.
enum class PowerStatus : std::uint8_t { Off, On };

/// What the agent last reported; None: no report within the heartbeat timeout.
enum class HeartbeatStatus : std::uint8_t { None, On, Stopping };

/// What is concluded.
enum class ActualStatus : std::uint8_t {
    Unknown,
    On,
    Off,
    Starting,
    StartupDelayed,
    BeforeStopping,
    Stopping,
    ShutdownDelayed,
    ManuallyOn,
    Crashed,
};

constexpr std::string_view to_string(PowerStatus status) {
    switch (status) {
    case PowerStatus::Off: return "OFF";
    case PowerStatus::On: return "ON";
    }
    return "";
}

constexpr std::string_view to_string(HeartbeatStatus status) {
    switch (status) {
    case HeartbeatStatus::None: return "None";
    case HeartbeatStatus::On: return "ON";
    case HeartbeatStatus::Stopping: return "Stopping";
    }
    return "";
}

constexpr std::string_view to_string(ActualStatus status) {
    switch (status) {
    case ActualStatus::Unknown: return "Unknown";
    case ActualStatus::On: return "ON";
    case ActualStatus::Off: return "OFF";
    case ActualStatus::Starting: return "Starting";
    case ActualStatus::StartupDelayed: return "StartupDelayed";
    case ActualStatus::BeforeStopping: return "BeforeStopping";
    case ActualStatus::Stopping: return "Stopping";
    case ActualStatus::ShutdownDelayed: return "ShutdownDelayed";
    case ActualStatus::ManuallyOn: return "ManuallyON";
    case ActualStatus::Crashed: return "Crashed";
    }
    return "";
}

/// What people read: ManuallyON is shown as ON (1.2).
constexpr std::string_view display_name(ActualStatus status) {
    return status == ActualStatus::ManuallyOn ? "ON" : to_string(status);
}

std::optional<PowerStatus> parse_power_status(std::string_view text);
std::optional<HeartbeatStatus> parse_heartbeat_status(std::string_view text);
std::optional<ActualStatus> parse_actual_status(std::string_view text);

} // namespace cpm::core
