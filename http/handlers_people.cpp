// Setup, signing in and out (HTTP 3.2, 3.5). Passwords are looked at in their own pool, never on
// this thread, and the time an answer takes does not tell whether a name exists.
#include "http/answers.hpp"
#include "http/authentication.hpp"
#include "http/handlers.hpp"
#include "http/password_input.hpp"
#include "http/password_pool.hpp"
#include "http/sign_in_throttle.hpp"
#include "manager/people_commands.hpp"
#include "manager/random.hpp"

#include <boost/json/object.hpp>

#include <sodium.h>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::FailSignIn;
using manager::SetUp;
using manager::SignIn;
using manager::SignOut;

constexpr std::size_t kMaxName = 64;
/// The account that guessing the setup code counts for: no user can have this name.
constexpr std::string_view kSetupAccount = "\nsetup";

struct Credentials {
    std::string setup_code;
    std::string username;
    std::string password;
};

core::Result<Credentials> read_credentials(std::string_view body, bool is_setup) {
    return read_fields(read_object(body), [&](Fields& fields) {
        Credentials credentials;
        if (is_setup && fields.require("setup_code"))
            credentials.setup_code = fields.text("setup_code", kMaxName).value_or("");
        if (fields.require("username"))
            credentials.username = fields.line("username", kMaxName).value_or("");
        if (is_setup)
            credentials.password = read_new_password(fields, "password");
        else if (fields.require("password"))
            credentials.password = fields.text("password", kMaxPassword).value_or("");
        return credentials;
    });
}

/// Compares in a time that tells nothing about the code.
bool is_setup_code(App const& app, std::string_view given) {
    auto const expected = manager::hash_secret(app.config.setup_code);
    auto const hash = manager::hash_secret(given);
    return !app.config.setup_code.empty() &&
           sodium_memcmp(expected.data(), hash.data(), hash.size()) == 0;
}

json::object session_json(manager::User const& user, core::WallTime expires_at) {
    return {
        {"kind", "session"},
        {"name", user.name},
        {"role", core::to_string(user.role)},
        {"expires_at", core::to_rfc3339(expires_at)},
    };
}

/// Answers that somebody is signed in now. The cookie goes out with it and is remembered nowhere.
template <class Command>
Render<Command> signed_in(std::string username, int status) {
    return [username = std::move(username),
            status](manager::Turn const& turn, manager::SessionOutcome&& outcome) {
        auto body = session_json(*turn.accounts().find_user(username), outcome.expires_at);
        body["sequence"] = outcome.sequence.value;
        auto answer = make_answer(status, std::move(body));
        answer.cookie = std::move(outcome.secret);
        return answer;
    };
}

Response signed_in_response(App const& app, Request const& request, manager::Answer&& answer) {
    auto response = json_text_response(answer.status, std::move(answer.body));
    auto const* session = app.model.accounts().find_session(manager::hash_secret(answer.cookie));
    if (!answer.cookie.empty() && session) {
        auto const lifetime = session->expires_at - session->created_at;
        response.headers.emplace_back(
            "Set-Cookie",
            session_cookie(request, answer.cookie, std::chrono::floor<core::seconds>(lifetime))
        );
    }
    return response;
}

core::Error wrong_password() {
    return {core::ErrorCode::NotSignedIn, "the user name or the password is wrong"};
}

} // namespace

HandlerResult set_up(App& app, Request const& request, Caller const& /*caller*/) {
    auto credentials = read_credentials(request.body, true);
    if (!credentials)
        co_return refused(app, credentials.error());
    // The repetition must name the same user; of the password not even a hash is kept.
    auto key = idempotency_key(request, "setup", credentials->username);
    if (!key)
        co_return refused(app, key.error());
    if (app.model.accounts().has_users()) {
        // Also after a restart, when there is no code any more.
        Refuse command{{core::ErrorCode::Conflict, "setup is done: sign in"}};
        Render<Refuse> render = render_sequence<Refuse>;
        auto answer =
            co_await execute_once(app, std::move(*key), std::move(command), std::move(render));
        co_return answer ? json_text_response(answer->status, std::move(answer->body))
                         : refused(app, answer.error());
    }
    auto const now = app.clock.now().mono;
    if (auto const may = app.throttle.attempt(kSetupAccount, request.peer, now); !may)
        co_return refused(app, may.error());
    if (!is_setup_code(app, credentials->setup_code))
        co_return refused(
            app,
            {core::ErrorCode::NotAllowed,
             "the setup code is wrong: the newest one is in the manager's terminal, its journal "
             "and its ready file"}
        );
    app.throttle.succeeded(kSetupAccount, request.peer);

    auto hash = co_await app.passwords.hash(std::move(credentials->password));
    if (!hash)
        co_return refused(app, hash.error());
    SetUp command{credentials->username, std::move(*hash), request.peer};
    auto render = signed_in<SetUp>(credentials->username, 201);
    auto answer =
        co_await execute_once(app, std::move(*key), std::move(command), std::move(render));
    if (!answer)
        co_return refused(app, answer.error());
    co_return signed_in_response(app, request, std::move(*answer));
}

HandlerResult sign_in(App& app, Request const& request, Caller const& /*caller*/) {
    auto credentials = read_credentials(request.body, false);
    if (!credentials)
        co_return refused(app, credentials.error());
    // Of the password not even a hash is kept: a repetition must come with the right one, too.
    auto key = idempotency_key(request, "session:" + credentials->username, "");
    if (!key)
        co_return refused(app, key.error());
    auto const now = app.clock.now().mono;
    auto const& name = credentials->username;
    if (auto const may = app.throttle.attempt(name, request.peer, now); !may)
        co_return refused(app, may.error());

    auto const* user = app.model.accounts().find_user(name);
    bool const exists = user != nullptr;
    auto const hash = user && !user->disabled ? user->password_hash : std::string{};
    auto const is_right = co_await app.passwords.verify(hash, std::move(credentials->password));
    if (!is_right)
        co_return refused(app, is_right.error());
    if (!*is_right) {
        FailSignIn command{exists ? name : std::string{}, request.peer};
        auto const recorded = co_await execute(app, std::move(command));
        co_return refused(app, recorded ? wrong_password() : recorded.error());
    }
    app.throttle.succeeded(name, request.peer);
    SignIn command{name, request.peer, hash};
    auto render = signed_in<SignIn>(name, 200);
    auto answer =
        co_await execute_once(app, std::move(*key), std::move(command), std::move(render));
    if (!answer)
        co_return refused(app, answer.error());
    co_return signed_in_response(app, request, std::move(*answer));
}

HandlerResult who_am_i(App& app, Request const& /*request*/, Caller const& caller) {
    auto const& accounts = app.model.accounts();
    auto const* session = accounts.find_session(caller.session);
    auto const* user = session ? accounts.find_user(session->username) : nullptr;
    if (caller.kind == CallerKind::Session && user)
        co_return json_response(200, session_json(*user, app.authentication.expires_at(*session)));
    co_return json_response(
        200,
        json::object{
            {"kind", "token"},
            {"name", caller.actor.name},
            {"role", core::to_string(caller.role)},
            {"expires_at", nullptr},
        }
    );
}

HandlerResult sign_out(App& app, Request const& request, Caller const& caller) {
    if (caller.kind != CallerKind::Session)
        co_return refused(
            app,
            {core::ErrorCode::Conflict,
             "an API token is no session: it ends with DELETE /api/v1/tokens/{id}"}
        );
    SignOut command{caller.session};
    Render<SignOut> render = render_sequence<SignOut>;
    auto response =
        co_await answer_change(app, request, caller, std::move(command), std::move(render));
    if (response.status == 200)
        response.headers.emplace_back("Set-Cookie", ended_session_cookie(request));
    co_return response;
}

} // namespace cpm::http
