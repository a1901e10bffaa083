#include "manager/people_commands.hpp"

#include "manager/accounts_codec.hpp"
#include "manager/user_commands.hpp"

#include <algorithm>

namespace cpm::manager {
namespace {

core::Actor user(std::string const& name) {
    return {core::ActorKind::User, name};
}

/// Sessions that nobody ended would otherwise be kept for ever.
void forget_expired_sessions(Turn& turn, std::string const& username) {
    std::vector<core::Hash> expired;
    turn.accounts().for_each_session(username, [&](Session const& session) {
        if (session.expires_at < turn.now().wall)
            expired.push_back(session.secret);
    });
    for (auto const& secret : expired)
        turn.change(remove_session(secret));
}

SessionOutcome open_session(Turn& turn, std::string const& username, std::string const& address) {
    auto secret = make_secret(turn.random(), "");
    auto const now = turn.now().wall;
    Session const session{
        .secret = hash_secret(secret),
        .username = username,
        .created_at = now,
        .expires_at = now + turn.fleet().settings.session_lifetime,
        .password_at = now,
        .address = address,
    };
    auto const sequence = turn.record_one({}, core::SignedIn{username, address}, user(username));
    forget_expired_sessions(turn, username);
    turn.change(put(session));
    return {std::move(secret), session.expires_at, sequence};
}

bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

core::Result<void> check_name(std::string const& field, std::string const& name) {
    if (name.empty() || name.size() > 64 || std::ranges::any_of(name, is_control))
        return core::invalid(field, "must be 1 to 64 bytes long, without control characters");
    return {};
}

} // namespace

core::Result<SessionOutcome> decide(Turn& turn, SetUp const& command) {
    if (turn.accounts().has_users())
        return core::fail(core::ErrorCode::Conflict, "setup is done: sign in");
    if (auto fine = check_user_name("username", command.username); !fine)
        return tl::make_unexpected(fine.error());
    auto const sequence =
        turn.record_one({}, core::SetupDone{command.username}, user(command.username));
    turn.change(put(User{
        .name = command.username,
        .role = core::Role::Admin,
        .password_hash = command.password_hash,
        .disabled = false,
        .created_at = turn.now().wall,
        .changed = sequence,
    }));
    return open_session(turn, command.username, command.address);
}

core::Result<SessionOutcome> decide(Turn& turn, SignIn const& command) {
    auto const* found = turn.accounts().find_user(command.username);
    // The password may have been changed while it was being verified.
    if (!found || found->disabled || found->password_hash != command.password_hash)
        return core::fail(core::ErrorCode::NotSignedIn, "the user name or the password is wrong");
    return open_session(turn, command.username, command.address);
}

core::Result<Recorded> decide(Turn& turn, FailSignIn const& command) {
    return Recorded{turn.record_one(
        {},
        core::SignInFailed{command.username, command.address},
        command.username.empty() ? core::Actor{} : user(command.username)
    )};
}

core::Result<Recorded> decide(Turn& turn, SignOut const& command) {
    auto const* session = turn.accounts().find_session(command.session);
    if (!session)
        return core::fail(core::ErrorCode::NotSignedIn, "this session has ended");
    auto const username = session->username;
    auto const sequence = turn.record_one({}, core::SignedOut{username}, user(username));
    turn.change(remove_session(command.session));
    return Recorded{sequence};
}

core::Result<CreateToken::Outcome> decide(Turn& turn, CreateToken const& command) {
    if (auto fine = check_name("name", command.name); !fine)
        return tl::make_unexpected(fine.error());
    if (command.expires_at && *command.expires_at <= turn.now().wall)
        return core::invalid("expires_at", "must lie in the future");
    auto secret = make_secret(turn.random(), "cpm_token_");
    ApiToken const token{
        .id = make_id(turn.random(), "tok_"),
        .name = command.name,
        .role = command.role,
        .secret = hash_secret(secret),
        .created_at = turn.now().wall,
        .expires_at = command.expires_at,
        .last_used_at = {},
    };
    auto const sequence = turn.record_one(
        {}, core::TokenCreated{token.id, token.name, token.role, token.expires_at}, command.actor
    );
    turn.change(put(token));
    return CreateToken::Outcome{token.id, std::move(secret), sequence};
}

core::Result<Recorded> decide(Turn& turn, RevokeToken const& command) {
    if (!turn.accounts().find_token_by_id(command.id))
        return core::fail(core::ErrorCode::NotFound, "there is no API token " + command.id);
    auto const sequence = turn.record_one({}, core::TokenRevoked{command.id}, command.actor);
    turn.change(remove_token(command.id));
    return Recorded{sequence};
}

core::Result<Recorded> decide(Turn& turn, DismissNotification const& command) {
    return Recorded{turn.record_one(
        command.server, core::NotificationDismissed{command.notification_id}, command.actor
    )};
}

core::Sequence version_of_settings(core::Fleet const& fleet) {
    return std::max(fleet.settings_changed, core::Sequence{1});
}

core::Result<Recorded> decide(Turn& turn, ChangeSettings const& command) {
    if (command.if_match && *command.if_match != version_of_settings(turn.fleet()))
        return core::fail(
            core::ErrorCode::Stale, "the settings were changed meanwhile: read them again"
        );
    auto settings = turn.fleet().settings;
    for (auto const& change : command.changes)
        if (auto fine = core::apply(settings, change); !fine)
            return tl::make_unexpected(fine.error());
    if (settings == turn.fleet().settings)
        return Recorded{};
    return Recorded{turn.record_one({}, core::SettingsChanged{command.changes}, command.actor)};
}

core::Result<Recorded> decide(Turn& turn, AcceptRollback const& command) {
    if (!turn.rolled_back())
        return core::fail(core::ErrorCode::Conflict, "the event log was not rolled back");
    // Higher than any that a witness knows, or that witness would contradict the log again.
    auto const epoch = std::max(turn.fleet().epoch, turn.witnessed_epoch()) + 1;
    return Recorded{turn.record_one({}, core::RollbackAccepted{epoch}, command.actor)};
}

} // namespace cpm::manager
