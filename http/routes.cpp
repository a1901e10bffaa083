// The whole interface at a glance: one row a route. What a route does stands in the handler it
// names; what it reads and answers stands in http/openapi.yaml, and a test holds the two together.
//
// The access of a row is all that decides who may call it (HTTP 3.1, 3.5):
//   Anyone    no credential is looked at, or the body itself carries it (a password, a setup code)
//   Viewer    people who may read: a session's cookie or an API token
//   Operator  and may switch servers and dismiss notifications
//   Admin     and may do all else
//   Agent     an agent's credential, which opens nothing outside /agent/
//   Joining   a machine that has only its join token yet
//
// The setting metrics_open makes /metrics a route for anyone.
//
// A row whose last column is missing takes bodies of up to 64 KiB.
#include "http/handlers.hpp"
#include "http/handlers_stream.hpp"
#include "http/route.hpp"

namespace cpm::http {
namespace {

using enum Method;
using enum Access;

constexpr Route kRoutes[] = {
    // clang-format off
    // --- setup and signing in
    {Post,   "/api/v1/setup",                       Anyone,   set_up,            kMaxSignInBody},
    {Post,   "/api/v1/session",                     Anyone,   sign_in,           kMaxSignInBody},
    {Get,    "/api/v1/session",                     Viewer,   who_am_i},
    {Delete, "/api/v1/session",                     Viewer,   sign_out},

    // --- users, and the sessions they have open
    {Get,    "/api/v1/users",                       Admin,    list_users},
    {Post,   "/api/v1/users",                       Admin,    add_user,          kMaxSignInBody},
    {Get,    "/api/v1/users/{name}",                Admin,    get_user},
    {Patch,  "/api/v1/users/{name}",                Admin,    change_user},
    {Delete, "/api/v1/users/{name}",                Admin,    remove_user},
    {Put,    "/api/v1/users/{name}/password",       Viewer,   set_password,      kMaxSignInBody},
    {Get,    "/api/v1/sessions",                    Viewer,   list_sessions},
    {Delete, "/api/v1/sessions/{id}",               Viewer,   end_session},

    // --- credentials of scripts, and the settings
    {Get,    "/api/v1/tokens",                      Admin,    list_tokens},
    {Post,   "/api/v1/tokens",                      Admin,    create_token},
    {Delete, "/api/v1/tokens/{id}",                 Admin,    revoke_token},
    {Get,    "/api/v1/settings",                    Viewer,   get_settings},
    {Patch,  "/api/v1/settings",                    Admin,    change_settings},

    // --- servers
    {Get,    "/api/v1/servers",                     Viewer,   list_servers},
    {Post,   "/api/v1/servers",                     Admin,    add_server},
    {Get,    "/api/v1/servers/{id}",                Viewer,   get_server},
    {Patch,  "/api/v1/servers/{id}",                Admin,    update_server},
    {Delete, "/api/v1/servers/{id}",                Admin,    remove_server},
    {Put,    "/api/v1/servers/{id}/power",          Operator, request_power},
    {Post,   "/api/v1/servers/{id}/wake",           Operator, wake_server},
    {Post,   "/api/v1/power",                       Operator, request_power_of_many},
    {Get,    "/api/v1/servers/{id}/explain",        Viewer,   explain_server},
    {Get,    "/api/v1/servers/{id}/history",        Viewer,   list_history},
    {Post,   "/api/v1/servers/{id}/join-token",     Admin,    create_join_token},
    {Delete, "/api/v1/servers/{id}/agent",          Admin,    revoke_agent},
    {Post,   "/api/v1/servers/{id}/agent/reinstate", Admin,    reinstate_agent},

    // --- what happened and what is told of it
    {Get,    "/api/v1/events",                      Viewer,   list_events},
    {Get,    "/api/v1/head",                        Viewer,   get_head},
    {Get,    "/api/v1/stream",                      Viewer,   get_stream},
    {Get,    "/api/v1/notifications",               Viewer,   list_notifications},
    {Post,   "/api/v1/notifications/{id}/dismiss",  Operator, dismiss_notification},
    {Post,   "/api/v1/rollback/accept",             Admin,    accept_rollback},
    {Get,    "/api/v1/webhooks",                    Admin,    list_webhooks},
    {Post,   "/api/v1/webhooks",                    Admin,    add_webhook},
    {Get,    "/api/v1/webhooks/{id}",               Admin,    get_webhook},
    {Patch,  "/api/v1/webhooks/{id}",               Admin,    change_webhook},
    {Delete, "/api/v1/webhooks/{id}",               Admin,    remove_webhook},
    {Post,   "/api/v1/webhooks/{id}/test",          Admin,    test_webhook},

    // --- agents
    {Post,   "/agent/v1/join",                      Joining,  join_agent,        kMaxAgentBody},
    {Post,   "/agent/v1/heartbeat",                 Agent,    receive_heartbeat, kMaxAgentBody},
    {Get,    "/agent/v1/manifest",                  Agent,    ask_manifest,      kMaxAgentBody},
    {Post,   "/agent/v1/token",                     Agent,    rotate_agent_token, kMaxAgentBody},

    // --- the process itself
    {Get,    "/healthz",                            Anyone,   get_health},
    {Get,    "/readyz",                             Anyone,   get_readiness},
    {Get,    "/metrics",                            Viewer,   get_metrics},
    {Get,    "/api/openapi.json",                   Anyone,   get_openapi},
    // clang-format on
};

} // namespace

std::span<Route const> routes() {
    return kRoutes;
}

} // namespace cpm::http
