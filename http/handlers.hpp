#pragma once

#include "http/message.hpp"

#include <boost/asio/awaitable.hpp>

namespace cpm::http {

struct App;

// What each route does (HTTP 3.2, 3.3, 3.6); the table that names them is http/routes.cpp.
//
// A handler gets a request whose caller may make it: the route's Access is satisfied. It reads the
// request strictly, asks the writer for what is to change, and dresses the outcome; every refusal
// is a problem document. App, request and caller outlive the call.

using HandlerResult = boost::asio::awaitable<Response>;

// --- people: handlers_people.cpp, handlers_users.cpp, handlers_sessions.cpp, handlers_tokens.cpp,
// handlers_settings.cpp ---
HandlerResult set_up(App& app, Request const& request, Caller const& caller);
HandlerResult sign_in(App& app, Request const& request, Caller const& caller);
HandlerResult who_am_i(App& app, Request const& request, Caller const& caller);
HandlerResult sign_out(App& app, Request const& request, Caller const& caller);
HandlerResult list_sessions(App& app, Request const& request, Caller const& caller);
HandlerResult end_session(App& app, Request const& request, Caller const& caller);
HandlerResult list_users(App& app, Request const& request, Caller const& caller);
HandlerResult add_user(App& app, Request const& request, Caller const& caller);
HandlerResult get_user(App& app, Request const& request, Caller const& caller);
HandlerResult change_user(App& app, Request const& request, Caller const& caller);
HandlerResult remove_user(App& app, Request const& request, Caller const& caller);
HandlerResult set_password(App& app, Request const& request, Caller const& caller);
HandlerResult list_tokens(App& app, Request const& request, Caller const& caller);
HandlerResult create_token(App& app, Request const& request, Caller const& caller);
HandlerResult revoke_token(App& app, Request const& request, Caller const& caller);
HandlerResult get_settings(App& app, Request const& request, Caller const& caller);
HandlerResult change_settings(App& app, Request const& request, Caller const& caller);

// --- servers: handlers_servers.cpp, handlers_power.cpp, handlers_power_many.cpp,
// handlers_history.cpp ---
HandlerResult list_servers(App& app, Request const& request, Caller const& caller);
HandlerResult add_server(App& app, Request const& request, Caller const& caller);
HandlerResult get_server(App& app, Request const& request, Caller const& caller);
HandlerResult update_server(App& app, Request const& request, Caller const& caller);
HandlerResult remove_server(App& app, Request const& request, Caller const& caller);
HandlerResult explain_server(App& app, Request const& request, Caller const& caller);
HandlerResult list_history(App& app, Request const& request, Caller const& caller);
HandlerResult request_power_of_many(App& app, Request const& request, Caller const& caller);
HandlerResult request_power(App& app, Request const& request, Caller const& caller);
HandlerResult wake_server(App& app, Request const& request, Caller const& caller);
HandlerResult create_join_token(App& app, Request const& request, Caller const& caller);
HandlerResult revoke_agent(App& app, Request const& request, Caller const& caller);
HandlerResult reinstate_agent(App& app, Request const& request, Caller const& caller);

// --- the log and what is told of it: handlers_log.cpp (the stream: handlers_stream.hpp) ---
HandlerResult list_events(App& app, Request const& request, Caller const& caller);
HandlerResult get_head(App& app, Request const& request, Caller const& caller);
HandlerResult list_notifications(App& app, Request const& request, Caller const& caller);
HandlerResult dismiss_notification(App& app, Request const& request, Caller const& caller);
HandlerResult accept_rollback(App& app, Request const& request, Caller const& caller);

// --- notifications out: handlers_webhooks.cpp ---
HandlerResult list_webhooks(App& app, Request const& request, Caller const& caller);
HandlerResult add_webhook(App& app, Request const& request, Caller const& caller);
HandlerResult get_webhook(App& app, Request const& request, Caller const& caller);
HandlerResult change_webhook(App& app, Request const& request, Caller const& caller);
HandlerResult remove_webhook(App& app, Request const& request, Caller const& caller);
HandlerResult test_webhook(App& app, Request const& request, Caller const& caller);

// --- agents: handlers_agent.cpp ---
HandlerResult join_agent(App& app, Request const& request, Caller const& caller);
HandlerResult receive_heartbeat(App& app, Request const& request, Caller const& caller);
HandlerResult ask_manifest(App& app, Request const& request, Caller const& caller);
HandlerResult rotate_agent_token(App& app, Request const& request, Caller const& caller);

// --- the process itself: handlers_health.cpp, handlers_metrics.cpp ---
HandlerResult get_health(App& app, Request const& request, Caller const& caller);
HandlerResult get_readiness(App& app, Request const& request, Caller const& caller);
HandlerResult get_metrics(App& app, Request const& request, Caller const& caller);
HandlerResult get_openapi(App& app, Request const& request, Caller const& caller);

} // namespace cpm::http
