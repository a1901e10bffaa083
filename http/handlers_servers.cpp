// The server table: read, add, edit, remove (HTTP 3.2). What acts on a server's power or agent is
// in handlers_power.cpp.
#include "core/assert.hpp"
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/password_input.hpp"
#include "http/query_input.hpp"
#include "http/server_answers.hpp"
#include "http/server_input.hpp"
#include "http/server_list.hpp"
#include "http/step_up.hpp"
#include "manager/fleet_commands.hpp"

namespace cpm::http {
namespace {

core::Error not_found(core::ServerId id) {
    return {core::ErrorCode::NotFound, "there is no server " + core::to_string(id)};
}

manager::Answer show(manager::Turn const& turn, core::ServerId id, int status) {
    auto const* server = turn.fleet().find(id);
    ASSERT(server); // the command has just added or changed it
    auto answer = make_answer(status, server_json(turn, *server));
    answer.etag = etag(server->configured);
    return answer;
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

struct Removal {
    manager::RemoveServer command;
    Confirmation confirmation;
    std::string said; ///< what a repetition must repeat
};

core::Result<Removal> read_removal(Request const& request) {
    auto const id = named_server(request);
    if (!id)
        return tl::make_unexpected(id.error());
    auto const version = if_match(request);
    if (!version)
        return tl::make_unexpected(version.error());
    auto object = read_optional_object(request.body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    QueryFields query(request, faults);
    Fields fields(*object, faults);
    Removal removal;
    removal.command.server = *id;
    removal.command.if_match = *version;
    removal.command.force = query.flag("force").value_or(false);
    removal.confirmation.password = fields.text("password", kMaxPassword);
    query.refuse_unknown();
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    removal.said = without_password(std::move(*object));
    return removal;
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

    Render<manager::AddServer> render = [](manager::Turn const& turn,
                                           manager::AddServer::Outcome&& outcome) {
        return show(turn, outcome.server, 201);
    };
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
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

    Render<manager::UpdateServer> render =
        [id = *id](manager::Turn const& turn, manager::UpdateServer::Outcome&&) {
            return show(turn, id, 200);
        };
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

HandlerResult remove_server(App& app, Request const& request, Caller const& caller) {
    auto read = read_removal(request);
    if (!read)
        co_return refused(app, read.error());
    auto proof = co_await prove(app, request, caller, std::move(read->confirmation));
    if (!proof)
        co_return refused(app, proof.error());
    auto& command = read->command;
    command.actor = caller.actor;
    command.proof = *proof;
    Render<manager::RemoveServer> render = render_sequence<manager::RemoveServer>;
    co_return co_await answer_change_of(
        app, request, caller, std::move(read->said), std::move(command), std::move(render)
    );
}

} // namespace cpm::http
