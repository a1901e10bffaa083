#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The words agent and manager share beside the statuses (HTTP 3.3), as the agent reads them.
namespace cpm::agent {

using microseconds = std::chrono::microseconds;
using seconds = std::chrono::seconds;

/// Changes with each boot and each resume from suspend (status model 1.1).
struct BootIdentity {
    std::string boot_id{}; ///< a lower-case UUID
    std::uint64_t resume_count = 0;
    bool operator==(BootIdentity const&) const = default;
};

/// How a machine goes down.
enum class OffMethod : std::uint8_t { PowerOff, Suspend, Hibernate };

/// The machine goes down by its own system's wish.
enum class Leaving : std::uint8_t { No, PowerOff, Reboot, Suspend };

/// The end of the manager's event log, as it told it: what the agent holds is a witness against a
/// log that was rolled back.
struct Head {
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    std::string hash{};
    std::string mac{};       ///< keyed by the manager: opaque here
    std::string signature{}; ///< by the order key, base64; empty: it came without
    bool operator==(Head const&) const = default;
};

constexpr std::string_view to_string(OffMethod method) {
    switch (method) {
    case OffMethod::PowerOff: return "poweroff";
    case OffMethod::Suspend: return "suspend";
    case OffMethod::Hibernate: return "hibernate";
    }
    return "";
}

constexpr std::optional<OffMethod> parse_off_method(std::string_view text) {
    for (auto const method : {OffMethod::PowerOff, OffMethod::Suspend, OffMethod::Hibernate})
        if (to_string(method) == text)
            return method;
    return std::nullopt;
}

/// Empty for No: the field is left out.
constexpr std::string_view to_string(Leaving leaving) {
    switch (leaving) {
    case Leaving::No: return "";
    case Leaving::PowerOff: return "poweroff";
    case Leaving::Reboot: return "reboot";
    case Leaving::Suspend: return "suspend";
    }
    return "";
}

} // namespace cpm::agent
