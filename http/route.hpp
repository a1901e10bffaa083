#pragma once

#include "http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace cpm::http {

struct App;

using Handler = boost::asio::awaitable<Response> (*)(App&, Request const&, Caller const&);

inline constexpr std::size_t kMaxBody = 64 * 1024;
inline constexpr std::size_t kMaxSignInBody = 4 * 1024;
inline constexpr std::size_t kMaxAgentBody = 16 * 1024;

/// One row of the route table. It has no default for who may call: a route that does not say so
/// does not compile.
struct Route {
    consteval Route(
        Method route_method,
        std::string_view route_pattern,
        Access route_access,
        Handler route_handler,
        std::size_t route_body = kMaxBody
    )
        : method(route_method)
        , pattern(route_pattern)
        , access(route_access)
        , handler(route_handler)
        , max_body(route_body) {}

    Method method;
    std::string_view pattern; ///< "/api/v1/servers/{id}": a {…} matches one segment
    Access access;
    Handler handler;
    std::size_t max_body;
};

/// The whole table, in http/routes.cpp.
std::span<Route const> routes();

/// The route of a path and method, or why there is none.
struct RouteMatch {
    Route const* route = nullptr;
    std::vector<std::string> captures;
    std::vector<Method> allowed; ///< methods the path has, when this one is not among them (405)
};
RouteMatch match_route(std::span<Route const> table, Method method, std::string_view path);

std::string_view to_string(Method method);

} // namespace cpm::http
