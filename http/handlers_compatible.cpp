#include "http/handlers_compatible.hpp"

#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/manifest_waiters.hpp"
#include "http/query_input.hpp"
#include "manager/power_commands.hpp"
#include "manager/wake_commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace cpm::http {
namespace {

namespace json = boost::json;
using enum Method;
using enum Access;

constexpr Route kRoutes[] = {
    // clang-format off
    {Get,    "/health",                             Anyone,   get_health},
    {Get,    "/status",                             Viewer,   compatible_status},
    {Post,   "/wake/all",                           Operator, compatible_wake_all},
    {Post,   "/wake/{hostname}",                    Operator, compatible_wake},
    // clang-format on
};

constexpr std::string_view kTokenField = "x-auth-token";

json::object node_json(core::Server const& server) {
    return {
        {"hostname", server.config.name},
        {"status", core::display_name(server.state.actual)},
        {"power_status", core::to_string(server.state.power)},
    };
}

/// The server of this name, or else the only one whose machine calls itself so.
core::Result<core::ServerId> find_node(core::Fleet const& fleet, std::string const& hostname) {
    if (auto const named = fleet.by_name.find(hostname); named != fleet.by_name.end())
        return named->second;
    std::optional<core::ServerId> found;
    for (auto const& [id, server] : fleet.servers) {
        if (server.agent.hostname != hostname)
            continue;
        if (found)
            return core::fail(
                core::ErrorCode::Conflict,
                fmt::format("several machines are called {}: use the server's name", hostname)
            );
        found = id;
    }
    if (!found)
        return core::fail(
            core::ErrorCode::NotFound, fmt::format("there is no server called {}", hostname)
        );
    return *found;
}

core::Result<bool> read_verify(Request const& request) {
    Faults faults;
    QueryFields query(request, faults);
    auto const verify = query.flag("verify");
    query.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return verify.value_or(false);
}

/// Waits until the server is ON or its standby time has elapsed. Fails when it was removed, or the
/// manager stops.
asio::awaitable<core::Result<void>> wait_for_start(App& app, core::ServerId id) {
    while (true) {
        auto const* server = app.model.fleet().find(id);
        if (!server)
            co_return core::fail(core::ErrorCode::Gone, "this server was removed meanwhile");
        bool const is_on = server->state.actual == core::ActualStatus::On;
        if (is_on || !core::standby_is_open(server->state))
            co_return core::Result<void>{};
        // Its end is an event, too; the limit only bounds one look.
        auto const left = app.model.standby_remaining(*server, app.clock.now().mono);
        auto const looked = co_await app.manifest_waiters.wait(id, left + core::seconds(1));
        if (looked == WaitResult::Stopping)
            co_return core::fail(
                core::ErrorCode::Starting,
                "the manager is stopping; the request stands: ask for the status soon"
            );
    }
}

json::object
outcome_json(std::string_view name, core::Result<manager::RequestPower::Outcome> const& outcome) {
    if (outcome)
        return {{"hostname", name}, {"outcome", outcome->accepted ? "accepted" : "unchanged"}};
    return {{"hostname", name}, {"outcome", "refused"}, {"detail", outcome.error().detail}};
}

} // namespace

std::span<Route const> compatible_routes() {
    return kRoutes;
}

Checked<void> take_auth_token(Request& request) {
    auto& headers = request.headers;
    std::erase_if(headers, [](auto const& header) { return header.first == "cookie"; });
    auto const is_token = [](auto const& header) { return header.first == kTokenField; };
    auto const count = std::ranges::count_if(headers, is_token);
    if (count == 0)
        return {};
    if (count > 1 || request.header("authorization"))
        return tl::make_unexpected(Refusal{400, "send one X-Auth-Token, and no Authorization"});
    auto const at = std::ranges::find_if(headers, is_token);
    *at = {"authorization", "Bearer " + at->second};
    return {};
}

HandlerResult compatible_status(App& app, Request const& /*request*/, Caller const& /*caller*/) {
    std::vector<core::Server const*> servers;
    for (auto const& [id, server] : app.model.fleet().servers)
        servers.push_back(&server);
    std::ranges::sort(servers, {}, [](auto const* server) { return server->config.name; });
    json::array nodes;
    for (auto const* server : servers)
        nodes.push_back(node_json(*server));
    co_return json_response(200, json::object{{"nodes", std::move(nodes)}});
}

HandlerResult compatible_wake(App& app, Request const& request, Caller const& caller) {
    auto const verify = read_verify(request);
    if (!verify)
        co_return refused(app, verify.error());
    auto const id = find_node(app.model.fleet(), request.captures.at(0));
    if (!id)
        co_return refused(app, id.error());
    manager::RequestPower command;
    command.actor = caller.actor;
    command.server = *id;
    command.target = core::PowerStatus::On;
    auto const outcome = co_await execute(app, std::move(command));
    if (!outcome)
        co_return refused(app, outcome.error());
    if (*verify) {
        auto const waited = co_await wait_for_start(app, *id);
        if (!waited)
            co_return refused(app, waited.error());
    }
    auto const* server = app.model.fleet().find(*id);
    if (!server)
        co_return refused(app, {core::ErrorCode::Gone, "this server was removed meanwhile"});
    auto answer = node_json(*server);
    answer["outcome"] = outcome->accepted ? "accepted" : "unchanged";
    if (*verify)
        answer["verified"] = server->state.actual == core::ActualStatus::On;
    co_return json_response(200, answer);
}

HandlerResult compatible_wake_all(App& app, Request const& request, Caller const& caller) {
    Faults faults;
    QueryFields query(request, faults);
    query.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        co_return refused(app, fine.error());
    manager::WakeAll command{caller.actor};
    auto const outcomes = co_await execute(app, std::move(command));
    if (!outcomes)
        co_return refused(app, outcomes.error());
    json::array results;
    for (auto const& [name, outcome] : *outcomes)
        results.push_back(outcome_json(name, outcome));
    co_return json_response(200, json::object{{"results", std::move(results)}});
}

} // namespace cpm::http
