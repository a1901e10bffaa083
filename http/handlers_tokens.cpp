// The API tokens of scripts (HTTP 3.2). A token is shown once, when it is made.
#include "http/answers.hpp"
#include "http/authentication.hpp"
#include "http/handlers.hpp"
#include "http/query_input.hpp"
#include "manager/people_commands.hpp"
#include "projections/json_parts.hpp"

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::CreateToken;
using manager::RevokeToken;

constexpr std::size_t kMaxName = 64;

json::object
token_json(manager::ApiToken const& token, std::optional<core::WallTime> last_used_at) {
    return {
        {"id", token.id},
        {"name", token.name},
        {"role", core::to_string(token.role)},
        {"created_at", core::to_rfc3339(token.created_at)},
        {"expires_at", projections::time_or_null(token.expires_at)},
        {"last_used_at", projections::time_or_null(last_used_at)},
    };
}

std::optional<core::WallTime> parse_time(std::string_view text) {
    auto const time = core::parse_rfc3339(text);
    return time ? std::optional(*time) : std::nullopt;
}

core::Result<CreateToken> read_token(std::string_view body) {
    return read_fields(read_object(body), [&](Fields& fields) {
        CreateToken command;
        if (fields.require("name"))
            command.name = fields.line("name", kMaxName).value_or("");
        if (fields.require("role"))
            command.role = fields.parsed("role", core::parse_role, "admin, operator or viewer")
                               .value_or(core::Role::Viewer);
        if (!fields.is_null("expires_at"))
            command.expires_at =
                fields.parsed("expires_at", parse_time, "a time like 2026-11-21T09:00:00Z");
        return command;
    });
}

manager::Answer render_token(manager::Turn const& turn, CreateToken::Outcome&& outcome) {
    auto body = token_json(*turn.accounts().find_token_by_id(outcome.id), {});
    body["token"] = outcome.secret;
    body["sequence"] = outcome.sequence.value;
    return make_answer(201, std::move(body), {"token"});
}

} // namespace

HandlerResult list_tokens(App& app, Request const& request, Caller const& /*caller*/) {
    auto const page = read_page_alone(request);
    if (!page)
        co_return refused(app, page.error());
    auto const to_json = [&](manager::ApiToken const& token) {
        return token_json(token, app.authentication.last_used(token));
    };
    co_return json_response(200, page_of(app.model.accounts().tokens(), *page, to_json));
}

HandlerResult create_token(App& app, Request const& request, Caller const& caller) {
    auto command = read_token(request.body);
    if (!command)
        co_return refused(app, command.error());
    command->actor = caller.actor;
    Render<CreateToken> render = render_token;
    co_return co_await answer_change(app, request, caller, std::move(*command), std::move(render));
}

HandlerResult revoke_token(App& app, Request const& request, Caller const& caller) {
    RevokeToken command{caller.actor, request.captures.at(0)};
    Render<RevokeToken> render = render_sequence<RevokeToken>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

} // namespace cpm::http
