#include "http/route.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

std::string_view take_segment(std::string_view& path) {
    auto const end = std::min(path.find('/', 1), path.size());
    auto const segment = path.substr(0, end);
    path.remove_prefix(end);
    return segment;
}

bool is_capture(std::string_view segment) {
    return segment.starts_with("/{") && segment.ends_with('}');
}

/// Whether the path is of this pattern, segment by segment; a {…} takes any that is not empty.
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captures) {
    captures.clear();
    while (!pattern.empty() && !path.empty()) {
        auto const expected = take_segment(pattern);
        auto const segment = take_segment(path);
        if (is_capture(expected) && segment.size() > 1)
            captures.emplace_back(segment.substr(1));
        else if (segment != expected)
            return false;
    }
    return pattern.empty() && path.empty();
}

} // namespace

RouteMatch match_route(std::span<Route const> table, Method method, std::string_view path) {
    RouteMatch match;
    std::vector<std::string> captures;
    for (auto const& route : table) {
        if (!matches(route.pattern, path, captures))
            continue;
        if (route.method == method)
            return {&route, std::move(captures), {}};
        match.allowed.push_back(route.method);
    }
    return match;
}

std::string_view to_string(Method method) {
    switch (method) {
    case Method::Get: return "GET";
    case Method::Post: return "POST";
    case Method::Put: return "PUT";
    case Method::Patch: return "PATCH";
    case Method::Delete: return "DELETE";
    }
    return "";
}

} // namespace cpm::http
