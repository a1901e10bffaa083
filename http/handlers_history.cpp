// Why a server has its status, and which it had before (HTTP 3.2).
#include "http/answers.hpp"
#include "http/gate.hpp"
#include "http/handlers.hpp"
#include "http/history_search.hpp"
#include "http/problem.hpp"
#include "http/server_answers.hpp"
#include "projections/event_json.hpp"
#include "projections/explanation_json.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

namespace json = boost::json;

/// The server a path names, as the read model has it.
core::Result<core::Server const*> find_server(App const& app, Request const& request) {
    auto const id = named_server(request);
    if (!id)
        return tl::make_unexpected(id.error());
    if (auto const* server = app.model.fleet().find(*id))
        return server;
    return core::fail(core::ErrorCode::NotFound, "there is no server " + core::to_string(*id));
}

core::Result<json::array> last_events(App const& app, core::Server const& server) {
    json::array events;
    auto const add = [&](eventstore::StoredEvent const& stored) {
        events.push_back(projections::to_json(stored.event, stored.hash));
        return true;
    };
    auto sequences = app.model.recent_events(server.id);
    auto const heartbeat = server.state.last_heartbeat;
    if (!sequences.empty() && heartbeat > sequences.back()) // routine, so it is not among them
        sequences.push_back(heartbeat);
    for (auto const sequence : sequences)
        if (auto const read = app.log.read(sequence, sequence, add); !read)
            return tl::make_unexpected(read.error());
    return events;
}

} // namespace

HandlerResult explain_server(App& app, Request const& request, Caller const& /*caller*/) {
    auto const found = find_server(app, request);
    if (!found)
        co_return refused(app, found.error());
    auto const& server = **found;
    auto const now = app.clock.now().wall;
    auto pending = projections::pending_of(server);
    for (auto& one : pending) // the deadline itself runs on another clock, and is not over yet
        one.at = std::max(one.at, now);
    auto events = last_events(app, server);
    if (!events)
        co_return refused(app, events.error());
    co_return json_response(
        200,
        json::object{
            {"sequence", app.model.head().sequence.value},
            {"at", core::to_rfc3339(now)},
            {"server", server_json(app, server)},
            {"inputs", projections::inputs_json(server)},
            {"pending", projections::to_json(pending)},
            {"events", std::move(*events)},
        }
    );
}

HandlerResult list_history(App& app, Request const& request, Caller const& caller) {
    auto const found = find_server(app, request);
    if (!found)
        co_return refused(app, found.error());
    auto const query = read_history_query(request, (*found)->id);
    if (!query)
        co_return refused(app, query.error());
    auto const pass = co_await app.searches.enter(actor_of(caller));
    if (!pass)
        co_return problem(429, "too many searches through the log are under way: ask again soon");
    HistorySearch search(app.log, app.model.common_events(), *query);
    while (!search.is_done()) {
        if (auto const fine = search.step(); !fine)
            co_return refused(app, fine.error());
        co_await asio::post(app.io, asio::use_awaitable); // others have their turn
    }
    co_return json_response(200, page_json(search.items(), search.next_cursor()));
}

} // namespace cpm::http
