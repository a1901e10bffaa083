// The server table: read, add, edit, remove (HTTP 3.2). What acts on a server's power or agent is
// in handlers_power.cpp.
#include "core/assert.hpp"
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/query_input.hpp"
#include "http/server_answers.hpp"
#include "http/server_input.hpp"
#include "http/server_list.hpp"
#include "manager/fleet_commands.hpp"

#include <memory>

namespace cpm::http {
namespace {

core::Error not_found(core::ServerId id) {
    return {core::ErrorCode::NotFound, "there is no server " + core::to_string(id)};
}

/// The version of what an answer shows, told to the handler from the writer's round. Empty when the
/// answer is a remembered one.
using Version = std::shared_ptr<core::Sequence>;

manager::Answer
show(manager::Turn const& turn, core::ServerId id, int status, Version const& version) {
    auto const* server = turn.fleet().find(id);
    ASSERT(server); // the command has just added or changed it
    *version = server->configured;
    return make_answer(status, server_json(turn, *server));
}

void add_etag(Response& response, Version const& version) {
    if (*version)
        response.headers.emplace_back("ETag", etag(*version));
}

core::Result<ServerEdit> read_edit(std::string_view body, bool is_new) {
    auto const object = read_object(body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    Fields fields(*object, faults);
    if (is_new)
        fields.require("name");
    auto edit = read_server_edit(fields, faults);
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return edit;
}

} // namespace

HandlerResult list_servers(App& app, Request const& request, Caller const& /*caller*/) {
    auto const query = read_server_query(request);
    if (!query)
        co_return refused(app, query.error());
    auto const page = find_servers(app.model.fleet(), *query);
    if (!page)
        co_return refused(app, page.error());
    boost::json::array items;
    items.reserve(page->servers.size());
    for (auto const* server : page->servers)
        items.push_back(server_json(app, *server));
    co_return json_response(200, page_json(std::move(items), page->next_cursor));
}

HandlerResult add_server(App& app, Request const& request, Caller const& caller) {
    auto edit = read_edit(request.body, true);
    if (!edit)
        co_return refused(app, edit.error());
    manager::AddServer command;
    command.actor = caller.actor;
    (*edit)(command.config);
    command.secure_on = std::move(edit->secure_on);

    auto const version = std::make_shared<core::Sequence>();
    Render<manager::AddServer> render =
        [version](manager::Turn const& turn, manager::AddServer::Outcome&& outcome) {
            return show(turn, outcome.server, 201, version);
        };
    auto response =
        co_await answer_change(app, request, caller, std::move(command), std::move(render));
    add_etag(response, version);
    co_return response;
}

HandlerResult get_server(App& app, Request const& request, Caller const& /*caller*/) {
    auto const id = named_server(request);
    if (!id)
        co_return refused(app, id.error());
    auto const* server = app.model.fleet().find(*id);
    if (!server)
        co_return refused(app, not_found(*id));
    auto response = json_response(200, server_json(app, *server));
    response.headers.emplace_back("ETag", etag(server->configured));
    co_return response;
}

HandlerResult update_server(App& app, Request const& request, Caller const& caller) {
    auto const id = named_server(request);
    if (!id)
        co_return refused(app, id.error());
    auto const version_wanted = if_match(request);
    if (!version_wanted)
        co_return refused(app, version_wanted.error());
    auto edit = read_edit(request.body, false);
    if (!edit)
        co_return refused(app, edit.error());
    manager::UpdateServer command;
    command.actor = caller.actor;
    command.server = *id;
    command.if_match = *version_wanted;
    command.secure_on = edit->secure_on;
    command.edit = std::move(*edit);

    auto const version = std::make_shared<core::Sequence>();
    Render<manager::UpdateServer> render =
        [version, id = *id](manager::Turn const& turn, manager::UpdateServer::Outcome&&) {
            return show(turn, id, 200, version);
        };
    auto response =
        co_await answer_change(app, request, caller, std::move(command), std::move(render));
    add_etag(response, version);
    co_return response;
}

HandlerResult remove_server(App& app, Request const& request, Caller const& caller) {
    auto const id = named_server(request);
    if (!id)
        co_return refused(app, id.error());
    auto const version_wanted = if_match(request);
    if (!version_wanted)
        co_return refused(app, version_wanted.error());
    Faults faults;
    QueryFields query(request, faults);
    auto const force = query.flag("force");
    query.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        co_return refused(app, fine.error());
    manager::RemoveServer command;
    command.actor = caller.actor;
    command.server = *id;
    command.if_match = *version_wanted;
    command.force = force.value_or(false);
    Render<manager::RemoveServer> render = render_sequence<manager::RemoveServer>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

} // namespace cpm::http
