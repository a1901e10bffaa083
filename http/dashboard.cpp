// The dashboard's files (HTTP 3.5): which paths lead to them, and what a browser may do with them.
#include "http/dashboard.hpp"

#include "http/app.hpp"
#include "http/problem.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

// Only what the page needs, all of it from here. Scripts reach the page's innards through one named
// policy, which lets the service worker's address through and nothing else.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types cpm";

constexpr std::string_view kKeepForEver = "public, max-age=31536000, immutable";
constexpr std::string_view kAskAgain = "no-cache";

bool lists(std::string_view field, std::string_view what) {
    return field.find(what) != field.npos;
}

/// Whether gzip is named and not refused ("gzip;q=0").
bool takes_gzip(Request const& request) {
    auto const accepted = request.header("accept-encoding").value_or(std::string_view());
    auto const at = accepted.find("gzip");
    if (at == accepted.npos)
        return false;
    auto const rest = accepted.substr(at, accepted.find(',', at) - at);
    return !lists(rest, ";q=0") || lists(rest, ";q=0.");
}

Response file_response(DashboardFile const& file, Request const& request) {
    Response response{.status = 200, .body = {}, .content_type = std::string(file.content_type)};
    auto& headers = response.headers;
    headers.emplace_back("Content-Security-Policy", kPagePolicy);
    headers.emplace_back("Cache-Control", file.is_hashed ? kKeepForEver : kAskAgain);
    headers.emplace_back("ETag", file.etag);
    headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    if (!file.packed.empty())
        headers.emplace_back("Vary", "Accept-Encoding");
    if (lists(request.header("if-none-match").value_or(std::string_view()), file.etag)) {
        response.status = 304;
        return response;
    }
    bool const is_packed = !file.packed.empty() && takes_gzip(request);
    if (is_packed)
        headers.emplace_back("Content-Encoding", "gzip");
    response.body = is_packed ? file.packed : file.plain;
    return response;
}

Response serve_file(App& app, Request const& request, std::string_view path) {
    auto const& files = app.config.dashboard;
    auto const found = std::ranges::find(files, path, &DashboardFile::path);
    if (found == files.end())
        return problem(404, "there is nothing at this path");
    return file_response(*found, request);
}

asio::awaitable<Response> get_page(App& app, Request const& request, Caller const& /*caller*/) {
    co_return serve_file(app, request, "/index.html");
}

asio::awaitable<Response> get_file(App& app, Request const& request, Caller const& /*caller*/) {
    co_return serve_file(app, request, request.path);
}

using enum Method;
using enum Access;

constexpr Route kRoutes[] = {
    // clang-format off
    // --- pages
    {Get, "/",                       Anyone, get_page},
    {Get, "/add",                    Anyone, get_page},
    {Get, "/servers/{id}",           Anyone, get_page},
    {Get, "/activity",               Anyone, get_page},
    {Get, "/people",                 Anyone, get_page},
    {Get, "/settings",               Anyone, get_page},

    // --- files
    {Get, "/assets/{name}",          Anyone, get_file},
    {Get, "/icons/{name}",           Anyone, get_file},
    {Get, "/manifest.webmanifest",   Anyone, get_file},
    {Get, "/sw.js",                  Anyone, get_file},
    // clang-format on
};

} // namespace

std::span<Route const> dashboard_routes() {
    return kRoutes;
}

} // namespace cpm::http
