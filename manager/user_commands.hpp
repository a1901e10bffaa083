#pragma once

#include "core/actor.hpp"
#include "manager/people_commands.hpp"
#include "manager/turn.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cpm::manager {

// Users, their passwords and their sessions (HTTP 3.2, 3.5). There is always an administrator who
// can sign in: whatever would leave none is a Conflict. Disabling, removing and a new password end
// all sessions of a user in the same step.

struct AddUser {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string name; ///< 1–64 bytes, no control character, no slash (it stands in paths)
    std::string password_hash;
    core::Role role{};
};
core::Result<Recorded> decide(Turn& turn, AddUser const& command);

struct ChangeUser {
    using Outcome = Recorded; ///< sequence none: nothing was changed
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string name;
    std::optional<core::Sequence> if_match{}; ///< the `changed` the editor saw
    std::optional<core::Role> role{};
    std::optional<bool> disabled{};
};
core::Result<Recorded> decide(Turn& turn, ChangeUser const& command);

struct RemoveUser {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string name;
    std::optional<core::Sequence> if_match{};
};
core::Result<Recorded> decide(Turn& turn, RemoveUser const& command);

struct SetPassword {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string name;
    std::string password_hash;
    /// The session that asks: NotSignedIn when it ended while passwords were being looked at.
    std::optional<core::Hash> session{};
};
core::Result<Recorded> decide(Turn& turn, SetPassword const& command);

/// What a session is called where its secret must not be: "ses_" and a part of the secret's hash.
std::string session_id(Session const& session);

/// Ends a session by its id; NotFound when `username`, if given, is not its user.
struct EndSession {
    using Outcome = Recorded;
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string id;
    std::optional<std::string> username{};
};
core::Result<Recorded> decide(Turn& turn, EndSession const& command);

/// When API tokens and sessions were last used; no event.
struct NoteUses {
    using Outcome = Recorded; ///< no sequence
    static constexpr bool kRefusedFirst = true;
    std::vector<std::pair<std::string, core::WallTime>> tokens{}; ///< by the token's id
    std::vector<std::pair<core::Hash, core::WallTime>> sessions{};
};
core::Result<Recorded> decide(Turn& turn, NoteUses const& command);

/// Forgets sessions that have ended by themselves, of idleness or age; no event.
struct ForgetSessions {
    using Outcome = Recorded; ///< no sequence
    static constexpr bool kRefusedFirst = true;
    std::vector<core::Hash> sessions;
};
core::Result<Recorded> decide(Turn& turn, ForgetSessions const& command);

/// Whether this may be a user's name; `field` is what it is called in a fault.
core::Result<void> check_user_name(std::string const& field, std::string const& name);

} // namespace cpm::manager
