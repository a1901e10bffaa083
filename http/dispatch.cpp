#include "http/dispatch.hpp"

#include "http/handlers.hpp"
#include "http/handlers_compatible.hpp"
#include "http/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace cpm::http {
namespace {

bool has_head(std::string_view path) {
    return !path.starts_with("/agent/");
}

Response not_allowed(std::string_view path, std::vector<Method> const& methods) {
    std::vector<std::string_view> names;
    for (auto const method : methods)
        names.push_back(to_string(method));
    if (std::ranges::count(methods, Method::Get) > 0 && has_head(path))
        names.push_back("HEAD");
    auto const allowed = fmt::format("{}", fmt::join(names, ", "));
    auto response = problem(405, "this path is for " + allowed + " only");
    response.headers.emplace_back("Allow", allowed);
    return response;
}

/// Who may call: as the table says, unless a setting opens the metrics (HTTP 3.6).
Access access_of(Route const& route, core::Settings const& settings) {
    bool const opened = route.handler == get_metrics && settings.metrics_open;
    return opened ? Access::Anyone : route.access;
}

tl::expected<Admitted, Response> refuse(core::Error const& error, core::WallTime now) {
    return tl::make_unexpected(problem(error, now));
}

RouteMatch find_route(Door const& door, Interface interface, Request const& request) {
    auto const match = [&](std::span<Route const> table) {
        return match_route(table, request.method, request.path);
    };
    switch (interface) {
    case Interface::Own: {
        auto found = match(door.routes);
        bool const is_known = found.route || !found.allowed.empty();
        return is_known ? found : match(dashboard_routes());
    }
    case Interface::CompatibleWake: return match(compatible_routes());
    }
    return {};
}

core::Error in_words_of(Interface interface, core::Error error) {
    if (interface == Interface::CompatibleWake && error.code == core::ErrorCode::NotSignedIn)
        error.detail = "send an API token with the role operator: X-Auth-Token: TOKEN";
    return error;
}

} // namespace

tl::expected<Admitted, Response> admit(Door& door, Interface interface, CheckedHead& head) {
    auto& request = head.request;
    auto const now = door.app.clock.now();
    auto match = find_route(door, interface, request);
    if (!match.route && match.allowed.empty())
        return tl::make_unexpected(problem(404, "there is nothing at this path"));
    if (!match.route)
        return tl::make_unexpected(not_allowed(request.path, match.allowed));
    if (head.head_only && !has_head(request.path))
        return tl::make_unexpected(not_allowed(request.path, {Method::Get}));
    auto const& route = *match.route;
    request.captures = std::move(match.captures);
    request.route = route.pattern;

    bool const plain_http = door.app.model.fleet().settings.agents_over_plain_http;
    if (auto fine = check_plain_http(request, route.access, plain_http); !fine)
        return refuse(fine.error(), now.wall);
    auto const access = access_of(route, door.app.model.fleet().settings);
    auto caller = door.authentication.identify(request, access, now);
    if (!caller)
        return refuse(in_words_of(interface, caller.error()), now.wall);
    if (auto fine = check_origin(request, *caller, door.app.config.public_url); !fine)
        return refuse(fine.error(), now.wall);
    if (head.content_length > route.max_body) {
        auto response = problem(
            413, fmt::format("the body must be at most {} bytes long here", route.max_body)
        );
        response.close = true;
        return tl::make_unexpected(std::move(response));
    }
    bool const is_agent = caller->kind == CallerKind::Agent;
    return Admitted{&route, std::move(*caller), is_agent};
}

asio::awaitable<Response> dispatch(Door& door, Request const& request, Admitted const& admitted) {
    auto caller = admitted.caller;
    if (!request.body.empty()) { // while it came, the credential may have ended
        auto const now = door.app.clock.now();
        auto again = door.authentication.identify(request, admitted.route->access, now);
        if (!again)
            co_return problem(again.error(), now.wall);
        caller = std::move(*again);
    }
    std::string failure;
    try {
        co_return co_await admitted.route->handler(door.app, request, caller);
    } catch (std::exception const& error) {
        failure = error.what();
    }
    door.report(
        fmt::format("{} {} failed: {}", to_string(request.method), admitted.route->pattern, failure)
    );
    co_return problem(500, "the manager failed on this request; its log says why");
}

Response refusal(Refusal const& refused) {
    auto response = problem(refused.status, refused.detail);
    if (refused.status == 405)
        response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE");
    response.close = true;
    return response;
}

} // namespace cpm::http
