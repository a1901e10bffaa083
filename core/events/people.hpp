#pragma once

#include "core/actor.hpp"
#include "core/settings.hpp"
#include "core/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cpm::core {

// Family "people": accounts and what people changed. Never a password, token or hash.

struct SetupDone {
    std::string username;
    bool operator==(SetupDone const&) const = default;
};

struct SignedIn {
    std::string username;
    std::string address;
    bool operator==(SignedIn const&) const = default;
};

/// `username` is empty when no such user exists: people type passwords into the wrong field.
struct SignInFailed {
    std::string username;
    std::string address;
    bool operator==(SignInFailed const&) const = default;
};

struct SignedOut {
    std::string username;
    bool operator==(SignedOut const&) const = default;
};

struct UserAdded {
    std::string username;
    Role role{};
    bool operator==(UserAdded const&) const = default;
};

struct UserChanged {
    std::string username;
    Role role{};
    bool disabled = false;
    bool password_changed = false;
    bool operator==(UserChanged const&) const = default;
};

struct UserRemoved {
    std::string username;
    bool operator==(UserRemoved const&) const = default;
};

struct TokenCreated {
    std::string token_id;
    std::string name;
    Role role{};
    std::optional<WallTime> expires_at;
    bool operator==(TokenCreated const&) const = default;
};

struct TokenRevoked {
    std::string token_id;
    bool operator==(TokenRevoked const&) const = default;
};

struct NotificationDismissed {
    std::string notification_id;
    bool operator==(NotificationDismissed const&) const = default;
};

struct SettingsChanged {
    std::vector<SettingChange> changes;
    bool operator==(SettingsChanged const&) const = default;
};

} // namespace cpm::core
