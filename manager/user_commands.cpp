#include "manager/user_commands.hpp"

#include "core/hex.hpp"
#include "manager/accounts_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::manager {
namespace {

using core::ErrorCode;

constexpr std::size_t kMaxName = 64;

bool is_unfit(unsigned char c) {
    return c < 0x20 || c == 0x7f || c == '/' || c == '\\';
}

core::Result<User const*> find(Turn const& turn, std::string const& name) {
    if (auto const* user = turn.accounts().find_user(name))
        return user;
    return core::fail(ErrorCode::NotFound, "there is no user " + name);
}

core::Result<void> match(User const& user, std::optional<core::Sequence> if_match) {
    if (!if_match || *if_match == user.changed)
        return {};
    return core::fail(ErrorCode::Stale, user.name + " was changed meanwhile: read it again");
}

bool is_administrator(User const& user) {
    return user.role == core::Role::Admin && !user.disabled;
}

/// Somebody must be left who can let people in.
core::Result<void> check_administrators(Turn const& turn, User const& leaving) {
    bool const other = std::ranges::any_of(turn.accounts().users(), [&](auto const& entry) {
        return entry.first != leaving.name && is_administrator(entry.second);
    });
    if (other || !is_administrator(leaving))
        return {};
    return core::fail(
        ErrorCode::Conflict,
        fmt::format("{} is the last administrator: make another one first", leaving.name)
    );
}

void end_sessions(Turn& turn, std::string const& username) {
    std::vector<core::Hash> sessions;
    turn.accounts().for_each_session(username, [&](Session const& session) {
        sessions.push_back(session.secret);
    });
    for (auto const& secret : sessions)
        turn.change(remove_session(secret));
}

core::Sequence record_change(Turn& turn, User user, bool password_changed, core::Actor const& by) {
    user.changed = turn.record_one(
        {}, core::UserChanged{user.name, user.role, user.disabled, password_changed}, by
    );
    turn.change(put(user));
    if (user.disabled || password_changed)
        end_sessions(turn, user.name);
    return user.changed;
}

} // namespace

core::Result<void> check_user_name(std::string const& field, std::string const& name) {
    bool const is_path = name == "." || name == "..";
    if (name.empty() || name.size() > kMaxName || is_path || std::ranges::any_of(name, is_unfit))
        return core::invalid(
            field, "must be 1 to 64 bytes long, without control characters and slashes"
        );
    return {};
}

core::Result<Recorded> decide(Turn& turn, AddUser const& command) {
    if (auto fine = check_user_name("name", command.name); !fine)
        return tl::make_unexpected(fine.error());
    if (turn.accounts().find_user(command.name))
        return core::fail(
            ErrorCode::Conflict, fmt::format("name: there is a user {} already", command.name)
        );
    auto const sequence =
        turn.record_one({}, core::UserAdded{command.name, command.role}, command.actor);
    turn.change(put(User{
        .name = command.name,
        .role = command.role,
        .password_hash = command.password_hash,
        .disabled = false,
        .created_at = turn.now().wall,
        .changed = sequence,
    }));
    return Recorded{sequence};
}

core::Result<Recorded> decide(Turn& turn, ChangeUser const& command) {
    auto const found = find(turn, command.name);
    if (!found)
        return tl::make_unexpected(found.error());
    if (auto fine = match(**found, command.if_match); !fine)
        return tl::make_unexpected(fine.error());
    auto user = **found;
    user.role = command.role.value_or(user.role);
    user.disabled = command.disabled.value_or(user.disabled);
    if (user == **found)
        return Recorded{};
    if (!is_administrator(user))
        if (auto fine = check_administrators(turn, **found); !fine)
            return tl::make_unexpected(fine.error());
    return Recorded{record_change(turn, std::move(user), false, command.actor)};
}

core::Result<Recorded> decide(Turn& turn, RemoveUser const& command) {
    auto const found = find(turn, command.name);
    if (!found)
        return tl::make_unexpected(found.error());
    if (auto fine = match(**found, command.if_match); !fine)
        return tl::make_unexpected(fine.error());
    if (auto fine = check_administrators(turn, **found); !fine)
        return tl::make_unexpected(fine.error());
    auto const sequence = turn.record_one({}, core::UserRemoved{command.name}, command.actor);
    turn.change(remove_user(command.name));
    end_sessions(turn, command.name);
    return Recorded{sequence};
}

core::Result<Recorded> decide(Turn& turn, SetPassword const& command) {
    if (command.session && !turn.accounts().find_session(*command.session))
        return core::fail(ErrorCode::NotSignedIn, "this session has ended: sign in");
    auto const found = find(turn, command.name);
    if (!found)
        return tl::make_unexpected(found.error());
    auto user = **found;
    user.password_hash = command.password_hash;
    return Recorded{record_change(turn, std::move(user), true, command.actor)};
}

std::string session_id(Session const& session) {
    return "ses_" + core::to_hex(session.secret).substr(0, 16);
}

core::Result<Recorded> decide(Turn& turn, EndSession const& command) {
    auto const& sessions = turn.accounts().sessions();
    auto const found = std::ranges::find_if(sessions, [&](auto const& entry) {
        return session_id(entry.second) == command.id &&
               entry.second.username == command.username.value_or(entry.second.username);
    });
    if (found == sessions.end())
        return core::fail(ErrorCode::NotFound, "there is no session " + command.id);
    auto const session = found->second;
    auto const sequence = turn.record_one({}, core::SignedOut{session.username}, command.actor);
    turn.change(remove_session(session.secret));
    return Recorded{sequence};
}

core::Result<Recorded> decide(Turn& turn, ForgetSessions const& command) {
    for (auto const& secret : command.sessions)
        if (turn.accounts().find_session(secret))
            turn.change(remove_session(secret));
    return Recorded{};
}

core::Result<Recorded> decide(Turn& turn, NoteUses const& command) {
    for (auto const& [id, at] : command.tokens) {
        auto const* found = turn.accounts().find_token_by_id(id);
        if (!found || (found->last_used_at && *found->last_used_at >= at))
            continue;
        auto token = *found;
        token.last_used_at = at;
        turn.change(put(token));
    }
    for (auto const& [secret, at] : command.sessions) {
        auto const* found = turn.accounts().find_session(secret);
        if (!found || (found->last_used_at && *found->last_used_at >= at))
            continue;
        auto session = *found;
        session.last_used_at = at;
        turn.change(put(session));
    }
    return Recorded{};
}

} // namespace cpm::manager
