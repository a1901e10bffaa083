#pragma once

#include "core/settings.hpp"
#include "manager/turn.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cpm::manager {

// Accounts and what people change beside servers (HTTP 3.2). Passwords arrive hashed: Argon2id is
// too slow for the writer's thread.

/// A new session: the secret goes into the cookie and is stored as its hash.
struct SessionOutcome {
    std::string secret;
    core::WallTime expires_at;
    core::Sequence sequence;
};

/// The first administrator, signed in at once. Conflict once there is a user.
struct SetUp {
    using Outcome = SessionOutcome;
    static constexpr bool kRefusedFirst = true;
    std::string username;
    std::string password_hash;
    std::string address;
};
core::Result<SessionOutcome> decide(Turn& turn, SetUp const& command);

/// After the password was found right.
struct SignIn {
    using Outcome = SessionOutcome;
    static constexpr bool kRefusedFirst = false;
    std::string username;
    std::string address;
    std::string password_hash; ///< the stored one, of which it was right
};
core::Result<SessionOutcome> decide(Turn& turn, SignIn const& command);

struct Recorded {
    core::Sequence sequence;
};

/// After the password was found wrong; `username` is empty when there is no such user.
struct FailSignIn {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = false;
    std::string username;
    std::string address;
};
core::Result<Recorded> decide(Turn& turn, FailSignIn const& command);

struct SignOut {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = false;
    core::Hash session{};
};
core::Result<Recorded> decide(Turn& turn, SignOut const& command);

struct CreateToken {
    struct Outcome {
        std::string id;
        std::string secret;
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string name;
    core::Role role{};
    std::optional<core::WallTime> expires_at;
};
core::Result<CreateToken::Outcome> decide(Turn& turn, CreateToken const& command);

struct RevokeToken {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string id;
};
core::Result<Recorded> decide(Turn& turn, RevokeToken const& command);

/// That it exists is checked by the projection of notifications.
struct DismissNotification {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string notification_id;
    core::ServerId server;
};
core::Result<Recorded> decide(Turn& turn, DismissNotification const& command);

struct ChangeSettings {
    using Outcome = Recorded; ///< sequence none: nothing was changed
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::vector<core::SettingChange> changes;
    std::optional<core::Sequence> if_match{}; ///< the last change the editor saw
};
core::Result<Recorded> decide(Turn& turn, ChangeSettings const& command);

/// The last SettingsChanged; before the first one event 1, which is no SettingsChanged.
core::Sequence version_of_settings(core::Fleet const& fleet);

/// Ends the rolled-back state: a new epoch begins.
struct AcceptRollback {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
};
core::Result<Recorded> decide(Turn& turn, AcceptRollback const& command);

} // namespace cpm::manager
