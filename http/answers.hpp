#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "http/app.hpp"
#include "http/json_input.hpp"
#include "http/message.hpp"
#include "manager/job.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

// How handlers answer, and what every change has in common: its Idempotency-Key, and an answer that
// is rendered in the round that decides it.

Response json_response(int status, boost::json::value const& body);
/// The same with a body that is JSON already.
Response json_text_response(int status, std::string body);

/// The problem document of a refusal.
Response refused(App const& app, core::Error const& error);

/// A list (HTTP 3.1): {items, next_cursor}.
boost::json::object
page_json(boost::json::array items, std::optional<std::string> const& next_cursor);

/// The ETag of a thing: the event that last changed it. (Of a server: its configuration.)
std::string etag(core::Sequence version);
/// The version an If-Match asks for; none when there is none or it is "*". Fails with Stale when it
/// can be no version of ours.
core::Result<std::optional<core::Sequence>> if_match(Request const& request);

/// The Idempotency-Key of a request, or none. `actor` says whose key it is; `body` is what must be
/// the same in a repetition: the request's, unless it holds a password, of which not even a hash
/// may be kept. Fails with Validation when the key is not 1 to 200 visible ASCII characters.
core::Result<std::optional<manager::IdempotencyKey>>
idempotency_key(Request const& request, std::string_view actor, std::string_view body);

/// Whose keys a caller's are.
std::string actor_of(Caller const& caller);

/// An answer to go out and, without its secrets, to be remembered. `secrets` are the fields that
/// are null in the remembered one.
manager::Answer make_answer(
    int status, boost::json::object body, std::initializer_list<std::string_view> secrets = {}
);

/// The response that carries an answer, with its ETag.
Response answer_response(manager::Answer&& answer);

/// Renders the answer to a command from what it led to. Called on the writer's thread while the
/// handler waits: it may only use what it holds itself.
template <class Command>
using Render = std::function<manager::Answer(manager::Turn const&, typename Command::Outcome&&)>;

/// Executes a command that changes something, once for each Idempotency-Key.
template <class Command>
asio::awaitable<core::Result<manager::Answer>> execute_once(
    App& app, std::optional<manager::IdempotencyKey> key, Command command, Render<Command> render
) {
    manager::Rendered<Command> rendered{std::move(command), std::move(key), std::move(render)};
    co_return co_await execute(app, std::move(rendered));
}

/// The whole way of a change that a person or script asks for: key, command, response. `said` is
/// what a repetition must repeat beside method and target (idempotency_key).
template <class Command>
asio::awaitable<Response> answer_change_of(
    App& app,
    Request const& request,
    Caller const& caller,
    std::string said,
    Command command,
    Render<Command> render
) {
    auto key = idempotency_key(request, actor_of(caller), said);
    if (!key)
        co_return refused(app, key.error());
    auto answer =
        co_await execute_once(app, std::move(*key), std::move(command), std::move(render));
    if (!answer)
        co_return refused(app, answer.error());
    co_return answer_response(std::move(*answer));
}

/// The same, where a repetition must repeat the body.
template <class Command>
asio::awaitable<Response> answer_change(
    App& app, Request const& request, Caller const& caller, Command command, Render<Command> render
) {
    return answer_change_of(
        app, request, caller, request.body, std::move(command), std::move(render)
    );
}

/// A change that cannot be asked for any more: its key may still remember an answer; without one,
/// this is the refusal.
struct Refuse {
    struct Outcome {
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Error error;
};
inline core::Result<Refuse::Outcome> decide(manager::Turn& /*turn*/, Refuse const& command) {
    return tl::make_unexpected(command.error);
}

/// The number of an event in an answer; null when nothing was changed.
boost::json::value sequence_or_null(core::Sequence sequence);

/// The answer to a change about which there is no more to say: {sequence}.
template <class Command>
manager::Answer
render_sequence(manager::Turn const& /*turn*/, typename Command::Outcome&& outcome) {
    return make_answer(200, {{"sequence", sequence_or_null(outcome.sequence)}});
}

} // namespace cpm::http
