#pragma once

#include "core/mac_address.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cpm::core {

/// How a server is switched off when its agent is told to.
enum class OffMethod : std::uint8_t { PowerOff, Suspend, Hibernate };

std::string_view to_string(OffMethod method);
std::optional<OffMethod> parse_off_method(std::string_view text);

/// How the magic packet reaches a server. The SecureOn password is a secret and stays out of the
/// log (accounts hold it).
struct WakeSettings {
    std::string broadcast_address;    ///< IPv4; empty: the limited broadcast 255.255.255.255
    std::vector<std::uint16_t> ports; ///< UDP; empty: port 9
    std::string interface;            ///< empty: every interface that can broadcast
    bool operator==(WakeSettings const&) const = default;
};

/// What an administrator says of a server. Unset durations follow the settings' defaults.
struct ServerConfig {
    std::string name;                      ///< 1–200 bytes of UTF-8, unique
    std::vector<MacAddress> mac_addresses; ///< each belongs to one server
    std::vector<std::string> tags;
    std::string note;
    std::optional<seconds> heartbeat_interval;      ///< 1 s – 1 h
    std::optional<seconds> standby_time;            ///< 1 s – 24 h
    std::optional<std::uint32_t> missed_heartbeats; ///< 1 – 100
    WakeSettings wake;
    OffMethod off_method = OffMethod::PowerOff;
    bool is_protected = false;   ///< OFF only singly and with its name
    bool allow_unsigned = false; ///< an agent that cannot check signatures may be told OFF
    bool operator==(ServerConfig const&) const = default;
};

/// Checks ranges and lengths; names every faulty field as the API calls it.
Result<void> validate(ServerConfig const& config);

} // namespace cpm::core
