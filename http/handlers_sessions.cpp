// The sessions that are open, and ending one (HTTP 3.2, 3.5): everybody's own, and for
// administrators all.
#include "http/answers.hpp"
#include "http/authentication.hpp"
#include "http/handlers.hpp"
#include "http/query_input.hpp"
#include "manager/user_commands.hpp"
#include "projections/json_parts.hpp"

#include <algorithm>
#include <map>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::EndSession;

json::object session_json(App const& app, manager::Session const& session, Caller const& caller) {
    auto const last = app.authentication.last_request(session);
    bool const is_own = caller.kind == CallerKind::Session && caller.session == session.secret;
    return {
        {"id", manager::session_id(session)},
        {"username", session.username},
        {"address", projections::text_or_null(session.address)},
        {"created_at", core::to_rfc3339(session.created_at)},
        {"last_request_at", projections::time_or_null(last)},
        {"expires_at", core::to_rfc3339(app.authentication.expires_at(session))},
        {"current", is_own},
    };
}

/// Whose sessions a caller may see and end; none: everybody's.
std::optional<std::string> only_of(Caller const& caller) {
    if (caller.role == core::Role::Admin)
        return std::nullopt;
    // An API token is no user: it has no sessions, whatever its name.
    return caller.kind == CallerKind::Session ? caller.actor.name : std::string{};
}

} // namespace

HandlerResult list_sessions(App& app, Request const& request, Caller const& caller) {
    auto const page = read_page_alone(request);
    if (!page)
        co_return refused(app, page.error());
    auto const only = only_of(caller);
    std::map<std::string, manager::Session const*> shown;
    for (auto const& [secret, session] : app.model.accounts().sessions())
        if (session.username == only.value_or(session.username) &&
            app.authentication.counts(session, app.clock.now()))
            shown.emplace(manager::session_id(session), &session);
    auto const to_json = [&](manager::Session const* session) {
        return session_json(app, *session, caller);
    };
    co_return json_response(200, page_of(shown, *page, to_json));
}

HandlerResult end_session(App& app, Request const& request, Caller const& caller) {
    EndSession command{caller.actor, request.captures.at(0), only_of(caller)};
    Render<EndSession> render = render_sequence<EndSession>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

} // namespace cpm::http
