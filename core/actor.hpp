#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::core {

/// Who caused an event.
enum class ActorKind : std::uint8_t { User, Token, Agent, Timer, Policy };

struct Actor {
    ActorKind kind = ActorKind::Policy;
    std::string name; ///< the user's name, the API token's name; empty for the others
    bool operator==(Actor const&) const = default;
};

constexpr std::string_view to_string(ActorKind kind) {
    switch (kind) {
    case ActorKind::User: return "user";
    case ActorKind::Token: return "token";
    case ActorKind::Agent: return "agent";
    case ActorKind::Timer: return "timer";
    case ActorKind::Policy: return "policy";
    }
    return "";
}

/// What a person may do: each role may do all that the ones before it may.
enum class Role : std::uint8_t { Viewer, Operator, Admin };

constexpr std::string_view to_string(Role role) {
    switch (role) {
    case Role::Viewer: return "viewer";
    case Role::Operator: return "operator";
    case Role::Admin: return "admin";
    }
    return "";
}

constexpr std::optional<Role> parse_role(std::string_view text) {
    for (auto role : {Role::Viewer, Role::Operator, Role::Admin})
        if (to_string(role) == text)
            return role;
    return std::nullopt;
}

} // namespace cpm::core
