#include "core/event.hpp"

#include <array>

namespace cpm::core {
namespace {

struct TypeRow {
    std::string_view name;
    Family family;
};

// By Payload index.
constexpr std::array<TypeRow, std::variant_size_v<Payload>> kTypes{{
    {"ServerAdded", Family::Fleet},
    {"ServerUpdated", Family::Fleet},
    {"ServerRemoved", Family::Fleet},
    {"JoinTokenCreated", Family::Fleet},
    {"AgentJoined", Family::Fleet},
    {"AgentTokenRotated", Family::Fleet},
    {"AgentRevoked", Family::Fleet},
    {"AgentSetAside", Family::Fleet},
    {"AgentReinstated", Family::Fleet},
    {"PowerRequested", Family::Power},
    {"PowerRefused", Family::Power},
    {"PowerAdopted", Family::Power},
    {"PowerReasserted", Family::Power},
    {"PowerWithdrawn", Family::Power},
    {"StandbyElapsed", Family::Power},
    {"StandbyReleased", Family::Power},
    {"OrderSent", Family::Power},
    {"WakeSent", Family::Power},
    {"HeartbeatReceived", Family::Heartbeats},
    {"HeartbeatLost", Family::Heartbeats},
    {"ReportIgnored", Family::Heartbeats},
    {"HeartbeatsCompacted", Family::Heartbeats},
    {"SetupDone", Family::People},
    {"SignedIn", Family::People},
    {"SignInFailed", Family::People},
    {"SignedOut", Family::People},
    {"UserAdded", Family::People},
    {"UserChanged", Family::People},
    {"UserRemoved", Family::People},
    {"TokenCreated", Family::People},
    {"TokenRevoked", Family::People},
    {"NotificationDismissed", Family::People},
    {"SettingsChanged", Family::People},
    {"ManagerStarted", Family::Process},
    {"ManagerStopped", Family::Process},
    {"RollbackAccepted", Family::Process},
}};

constexpr auto kTypeNames = [] {
    std::array<std::string_view, kTypes.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = kTypes[i].name;
    return names;
}();

} // namespace

std::string_view to_string(Family family) {
    switch (family) {
    case Family::Fleet: return "fleet";
    case Family::Power: return "power";
    case Family::Heartbeats: return "heartbeats";
    case Family::People: return "people";
    case Family::Process: return "process";
    }
    return "";
}

std::optional<Family> parse_family(std::string_view text) {
    for (auto family :
         {Family::Fleet, Family::Power, Family::Heartbeats, Family::People, Family::Process})
        if (to_string(family) == text)
            return family;
    return std::nullopt;
}

std::string_view type_name(Payload const& payload) {
    return kTypes[payload.index()].name;
}

Family family_of(Payload const& payload) {
    return kTypes[payload.index()].family;
}

std::span<std::string_view const> type_names() {
    return kTypeNames;
}

std::string_view to_string(Leaving leaving) {
    switch (leaving) {
    case Leaving::No: return "";
    case Leaving::PowerOff: return "poweroff";
    case Leaving::Reboot: return "reboot";
    case Leaving::Suspend: return "suspend";
    }
    return "";
}

std::optional<Leaving> parse_leaving(std::string_view text) {
    for (auto leaving : {Leaving::PowerOff, Leaving::Reboot, Leaving::Suspend})
        if (to_string(leaving) == text)
            return leaving;
    return std::nullopt;
}

} // namespace cpm::core
