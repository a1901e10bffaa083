// Users, and their passwords (HTTP 3.2, 3.5). Administrators manage them; everyone sets their own
// password, by the present one.
#include "core/assert.hpp"
#include "http/answers.hpp"
#include "http/authentication.hpp"
#include "http/handlers.hpp"
#include "http/password_input.hpp"
#include "http/password_pool.hpp"
#include "http/query_input.hpp"
#include "http/step_up.hpp"
#include "manager/user_commands.hpp"

#include <utility>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::AddUser;
using manager::ChangeUser;
using manager::Recorded;
using manager::RemoveUser;
using manager::SetPassword;

constexpr std::size_t kMaxName = 64;

core::Error not_found(std::string const& name) {
    return {core::ErrorCode::NotFound, "there is no user " + name};
}

core::Error not_own() {
    return core::invalid("current_password", "is for one's own password alone").value();
}

json::object user_json(manager::User const& user) {
    return {
        {"name", user.name},
        {"role", core::to_string(user.role)},
        {"disabled", user.disabled},
        {"created_at", core::to_rfc3339(user.created_at)},
    };
}

/// Answers with the user as changed.
template <class Command>
Render<Command> show_user(std::string name, int status) {
    return [name = std::move(name), status](manager::Turn const& turn, Recorded&& recorded) {
        auto const* user = turn.accounts().find_user(name);
        ASSERT(user); // the command has just added or changed it
        auto body = user_json(*user);
        body["sequence"] = sequence_or_null(recorded.sequence);
        auto answer = make_answer(status, std::move(body));
        answer.etag = etag(user->changed);
        return answer;
    };
}

struct NewUser {
    AddUser command;
    std::string password;
    std::string said; ///< what a repetition must repeat
};

core::Result<NewUser> read_new_user(std::string_view body) {
    auto object = read_object(body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    Fields fields(*object, faults);
    NewUser user;
    if (fields.require("name"))
        user.command.name = fields.line("name", kMaxName).value_or("");
    if (faults.empty())
        if (auto const fine = manager::check_user_name("name", user.command.name); !fine)
            faults.add("name", fine.error().fields.at(0).message);
    if (fields.require("role"))
        user.command.role = fields.parsed("role", core::parse_role, "admin, operator or viewer")
                                .value_or(core::Role::Viewer);
    user.password = read_new_password(fields, "password");
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    user.said = without_password(std::move(*object));
    return user;
}

core::Result<ChangeUser> read_change(Request const& request) {
    auto const version = if_match(request);
    if (!version)
        return tl::make_unexpected(version.error());
    return read_fields(read_object(request.body), [&](Fields& fields) {
        ChangeUser command;
        command.name = request.captures.at(0);
        command.if_match = *version;
        command.role = fields.parsed("role", core::parse_role, "admin, operator or viewer");
        command.disabled = fields.flag("disabled");
        return command;
    });
}

struct Passwords {
    std::string password;
    std::optional<std::string> current;
};

core::Result<Passwords> read_passwords(std::string_view body) {
    return read_fields(read_object(body), [&](Fields& fields) {
        Passwords passwords;
        passwords.password = read_new_password(fields, "password");
        passwords.current = fields.text("current_password", kMaxPassword);
        return passwords;
    });
}

/// Users set their own password by giving the present one; administrators set those of others.
core::Result<void> check_right(Caller const& caller, bool own, manager::Proof const& proof) {
    if (!own && caller.role != core::Role::Admin)
        return core::fail(
            core::ErrorCode::NotAllowed, "only an administrator sets the password of another user"
        );
    if (!own || proof.password == core::StepUp::Password::Right)
        return {};
    bool const given = proof.password == core::StepUp::Password::Wrong;
    core::Error error{
        core::ErrorCode::Confirm,
        given ? "the present password is wrong: send it as \"current_password\""
              : "a new password needs the present one: send it as \"current_password\""};
    error.fields.push_back({"current_password", given ? "is wrong" : "is needed"});
    return tl::make_unexpected(std::move(error));
}

} // namespace

HandlerResult list_users(App& app, Request const& request, Caller const& /*caller*/) {
    auto const page = read_page_alone(request);
    if (!page)
        co_return refused(app, page.error());
    co_return json_response(200, page_of(app.model.accounts().users(), *page, user_json));
}

HandlerResult add_user(App& app, Request const& request, Caller const& caller) {
    auto user = read_new_user(request.body);
    if (!user)
        co_return refused(app, user.error());
    auto hash = co_await app.passwords.hash(std::move(user->password));
    if (!hash)
        co_return refused(app, hash.error());
    auto& command = user->command;
    command.actor = caller.actor;
    command.password_hash = std::move(*hash);
    auto render = show_user<AddUser>(command.name, 201);
    co_return co_await answer_change_of(
        app, request, caller, std::move(user->said), std::move(command), std::move(render)
    );
}

HandlerResult get_user(App& app, Request const& request, Caller const& /*caller*/) {
    auto const& name = request.captures.at(0);
    auto const* user = app.model.accounts().find_user(name);
    if (!user)
        co_return refused(app, not_found(name));
    auto response = json_response(200, user_json(*user));
    response.headers.emplace_back("ETag", etag(user->changed));
    co_return response;
}

HandlerResult change_user(App& app, Request const& request, Caller const& caller) {
    auto command = read_change(request);
    if (!command)
        co_return refused(app, command.error());
    command->actor = caller.actor;
    auto render = show_user<ChangeUser>(command->name, 200);
    co_return co_await answer_change(app, request, caller, std::move(*command), std::move(render));
}

HandlerResult remove_user(App& app, Request const& request, Caller const& caller) {
    auto const version = if_match(request);
    if (!version)
        co_return refused(app, version.error());
    RemoveUser command{caller.actor, request.captures.at(0), *version};
    Render<RemoveUser> render = render_sequence<RemoveUser>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

HandlerResult set_password(App& app, Request const& request, Caller const& caller) {
    auto const& name = request.captures.at(0);
    auto passwords = read_passwords(request.body);
    if (!passwords)
        co_return refused(app, passwords.error());
    bool const own = caller.kind == CallerKind::Session && caller.actor.name == name;
    if (!own && passwords->current)
        co_return refused(app, not_own());
    Confirmation confirmation{std::move(passwords->current), {}};
    auto proof = co_await prove(app, request, caller, std::move(confirmation));
    if (!proof)
        co_return refused(app, proof.error());
    if (auto const fine = check_right(caller, own, *proof); !fine)
        co_return refused(app, fine.error());
    if (!app.model.accounts().find_user(name))
        co_return refused(app, not_found(name));
    auto hash = co_await app.passwords.hash(std::move(passwords->password));
    if (!hash)
        co_return refused(app, hash.error());
    SetPassword command{caller.actor, name, std::move(*hash), proof->session};
    Render<SetPassword> render = render_sequence<SetPassword>;
    std::string said; // nothing: of passwords not even a hash is kept
    auto response = co_await answer_change_of(
        app, request, caller, std::move(said), std::move(command), std::move(render)
    );
    if (own && response.status == 200) // the own session has ended, too
        response.headers.emplace_back("Set-Cookie", ended_session_cookie(request));
    co_return response;
}

} // namespace cpm::http
