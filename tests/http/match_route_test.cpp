#include "http/app.hpp"
#include "http/route.hpp"

#include <doctest/doctest.h>

using namespace cpm::http;

namespace {

asio::awaitable<Response> nothing(App&, Request const&, Caller const&) {
    co_return Response{};
}

constexpr Route kTable[] = {
    {Method::Get, "/a", Access::Anyone, nothing},
    {Method::Post, "/a", Access::Admin, nothing, 10},
    {Method::Get, "/a/{id}", Access::Viewer, nothing},
    {Method::Put, "/a/{id}/b/{name}", Access::Operator, nothing},
};

Route const* route_of(Method method, std::string_view path) {
    return match_route(kTable, method, path).route;
}

} // namespace

TEST_CASE("routes: a path is matched segment by segment, and whole") {
    CHECK(route_of(Method::Get, "/a") == &kTable[0]);
    CHECK(route_of(Method::Post, "/a") == &kTable[1]);
    CHECK(route_of(Method::Get, "/a/x") == &kTable[2]);
    CHECK(route_of(Method::Put, "/a/x/b/y z") == &kTable[3]);
    for (auto const* path :
         {"",
          "/",
          "a",
          "/a/",
          "//a",
          "/a/x/",
          "/a//b/y",
          "/a/x/b",
          "/A",
          "/ab",
          "/a/x/b/y/z",
          "/{id}"})
        CHECK(route_of(Method::Get, path) == nullptr);
}

TEST_CASE("routes: what {} matched is told in order") {
    CHECK(match_route(kTable, Method::Get, "/a").captures.empty());
    auto const match = match_route(kTable, Method::Put, "/a/one/b/two");
    CHECK(match.captures == std::vector<std::string>{"one", "two"});
}

TEST_CASE("routes: a path without this method names those it has") {
    auto const match = match_route(kTable, Method::Delete, "/a");
    CHECK(match.route == nullptr);
    CHECK(match.allowed == std::vector<Method>{Method::Get, Method::Post});
    CHECK(match_route(kTable, Method::Delete, "/b").allowed.empty());
}
