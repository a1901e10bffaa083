// What agents call (HTTP 3.3): join once, report at each interval, hold a call for what they are to
// do. Every OFF that leaves here is an event first, and durable.
#include "core/hex.hpp"
#include "http/agent_answers.hpp"
#include "http/agent_input.hpp"
#include "http/agent_witness.hpp"
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/manifest_waiters.hpp"
#include "manager/random.hpp"
#include "projections/json_parts.hpp"

#include <fmt/format.h>

namespace cpm::http {
namespace {

using manager::JoinAgent;
using manager::RotateAgentToken;

std::string etag_of(std::string_view version) {
    return fmt::format("\"{}\"", version);
}

Response told(App const& app, manager::ManifestOutcome const& outcome) {
    auto const& head = app.model.head();
    auto body = agent_answer(outcome.manifest, outcome.version, head, app.keys);
    if (!outcome.wake.empty())
        body["wake"] = wake_json(outcome.wake, app.model.accounts());
    auto response = json_response(200, body);
    response.headers.emplace_back("ETag", etag_of(outcome.version));
    return response;
}

Response unchanged(std::string_view etag) {
    Response response;
    response.status = 304;
    response.headers.emplace_back("ETag", etag);
    return response;
}

/// The caller's credential has ended since the call began.
Response ended(App const& app, core::ServerId server) {
    if (app.model.fleet().find(server))
        return refused(
            app,
            {core::ErrorCode::NotSignedIn,
             "this agent's credential was revoked or replaced: join again with a new join token"}
        );
    return refused(
        app, {core::ErrorCode::Gone, "this server was removed: it is no longer managed"}
    );
}

Response stopping(App const& app) {
    return refused(app, {core::ErrorCode::Starting, "the manager is stopping: ask again soon"});
}

/// What the manifest says at this moment, as the interface's read model has it.
manager::ManifestOutcome
look(App const& app, core::Server const& server, core::Asker const& asker) {
    bool const rolled_back = app.writer.readiness() == manager::Readiness::RolledBack;
    auto manifest = core::manifest_for(server, app.model.fleet().settings, asker, rolled_back);
    auto asked = app.model.wake_asks(server.id, app.clock.now().mono);
    return manager::make_manifest_outcome(server, std::move(manifest), std::move(asked));
}

/// To be called once a request was read and found right: whether the caller's token still counts.
/// The first use of one that a rotation handed out ends the one before it.
asio::awaitable<core::Result<void>> use_token(App& app, Caller const& caller) {
    auto const* const credential = app.model.accounts().find_agent(caller.token);
    if (!credential || credential->next != caller.token)
        co_return core::Result<void>{};
    auto const used = co_await execute(app, manager::UseAgentToken{caller.token});
    if (!used)
        co_return tl::make_unexpected(used.error());
    co_return core::Result<void>{};
}

} // namespace

HandlerResult join_agent(App& app, Request const& request, Caller const& /*caller*/) {
    auto command = read_join(request);
    if (!command)
        co_return refused(app, command.error());
    // Nobody is signed in: the keys belong to whoever holds this join token.
    auto const holder = core::to_hex(manager::hash_secret(command->join_token));
    auto key = idempotency_key(request, "join:" + holder, request.body);
    if (!key)
        co_return refused(app, key.error());
    Render<JoinAgent> render =
        [order_key = app.keys.order_key()](manager::Turn const&, JoinAgent::Outcome&& outcome) {
            return make_answer(
                200,
                {{"server_id", core::to_string(outcome.server)},
                 {"agent_token", outcome.agent_token},
                 {"order_key", order_key},
                 {"heartbeat_interval_seconds", outcome.heartbeat_interval.count()}},
                {"agent_token"}
            );
        };
    auto answer =
        co_await execute_once(app, std::move(*key), std::move(*command), std::move(render));
    if (!answer)
        co_return refused(app, answer.error());
    co_return json_text_response(answer->status, std::move(answer->body));
}

HandlerResult receive_heartbeat(App& app, Request const& request, Caller const& caller) {
    auto report = read_heartbeat(request);
    if (!report)
        co_return refused(app, report.error());
    if (auto const fine = co_await use_token(app, caller); !fine)
        co_return refused(app, fine.error());
    if (auto const witness = read_witness(request, app.keys)) {
        auto why = contradiction(*witness, app.model.head(), app.log);
        if (!why.empty()) {
            manager::NoteRollback note{witness->epoch, std::move(why)};
            if (auto const noted = co_await execute(app, std::move(note)); !noted)
                co_return refused(app, noted.error());
        }
    }
    manager::ReceiveHeartbeat command{caller.server, std::move(*report)};
    auto const outcome = co_await execute(app, std::move(command));
    if (!outcome)
        co_return refused(app, outcome.error());
    co_return told(app, *outcome);
}

HandlerResult ask_manifest(App& app, Request const& request, Caller const& caller) {
    auto const call = read_manifest_call(request);
    if (!call)
        co_return refused(app, call.error());
    if (auto const fine = co_await use_token(app, caller); !fine)
        co_return refused(app, fine.error());
    auto const known = request.header("if-none-match").value_or("");
    auto const end = app.clock.now().mono + call->wait;
    while (true) {
        auto const* server = app.model.fleet().find(caller.server);
        if (!server)
            co_return ended(app, caller.server);
        auto const seen = look(app, *server, call->asker);
        if (etag_of(seen.version) != known && seen.manifest.power_status == core::PowerStatus::On)
            co_return told(app, seen);
        if (etag_of(seen.version) != known) {
            manager::AskManifest command{caller.server, call->asker};
            auto const outcome = co_await execute(app, std::move(command));
            co_return outcome ? told(app, *outcome) : refused(app, outcome.error());
        }
        auto const left = std::chrono::ceil<core::milliseconds>(end - app.clock.now().mono);
        if (left <= core::milliseconds(0))
            co_return unchanged(known);
        switch (co_await app.manifest_waiters.wait(caller.server, left)) {
        case WaitResult::Touched: break; // look again
        case WaitResult::Ended: co_return ended(app, caller.server);
        case WaitResult::Stopping: co_return stopping(app);
        case WaitResult::TimedOut: co_return unchanged(known);
        }
    }
}

HandlerResult rotate_agent_token(App& app, Request const& request, Caller const& caller) {
    auto const whose = "agent:" + core::to_string(caller.server);
    auto key = idempotency_key(request, whose, request.body);
    if (!key)
        co_return refused(app, key.error());
    if (auto const fine = co_await use_token(app, caller); !fine)
        co_return refused(app, fine.error());
    Render<RotateAgentToken> render = [](manager::Turn const&,
                                         RotateAgentToken::Outcome&& outcome) {
        return make_answer(200, {{"agent_token", outcome.agent_token}}, {"agent_token"});
    };
    RotateAgentToken command{caller.server, caller.token};
    auto answer =
        co_await execute_once(app, std::move(*key), std::move(command), std::move(render));
    if (!answer)
        co_return refused(app, answer.error());
    co_return json_text_response(answer->status, std::move(answer->body));
}

} // namespace cpm::http
