// The compatible wake interface (HTTP 3.4): its credential and its routes.
#include "http/handlers_compatible.hpp"
#include "http/head_check.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cpm::http;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Request with(Fields headers) {
    Request request;
    request.headers = std::move(headers);
    return request;
}

} // namespace

TEST_CASE("compatible: the token of X-Auth-Token is a bearer's, and no cookie counts (3.4)") {
    auto request = with({{"host", "a"}, {"x-auth-token", "secret"}, {"cookie", "cpm=1"}});
    REQUIRE(take_auth_token(request));
    CHECK(request.headers == Fields{{"host", "a"}, {"authorization", "Bearer secret"}});

    auto without = with({{"cookie", "cpm=1"}, {"cookie", "cpm=2"}});
    REQUIRE(take_auth_token(without));
    CHECK(without.headers.empty());

    auto bearer = with({{"authorization", "Bearer secret"}});
    REQUIRE(take_auth_token(bearer));
    CHECK(bearer.headers.size() == 1);
}

TEST_CASE("compatible: two credentials are refused (3.4, 3.5)") {
    for (auto const& headers :
         {Fields{{"x-auth-token", "a"}, {"x-auth-token", "a"}},
          Fields{{"x-auth-token", "a"}, {"authorization", "Bearer a"}}}) {
        auto request = with(headers);
        auto const taken = take_auth_token(request);
        REQUIRE_FALSE(taken);
        CHECK(taken.error().status == 400);
    }
}

TEST_CASE("compatible: a bare POST, as curl sends it, has no body (3.4)") {
    Head head;
    head.method = "POST";
    head.target = "/wake/all";
    head.fields = {{"host", "localhost:9876"}};
    OwnNames const own{"127.0.0.1", {}};
    auto const checked = check_head(head, own);
    REQUIRE(checked);
    CHECK(checked->content_length == 0);
    head.fields.emplace_back("transfer-encoding", "chunked");
    CHECK_FALSE(check_head(head, own));
}

TEST_CASE("compatible: /wake/all is every server, whatever one of them is called (3.4)") {
    auto const match = [](Method method, std::string_view path) {
        return match_route(compatible_routes(), method, path);
    };
    CHECK((match(Method::Post, "/wake/all").route->handler == compatible_wake_all));
    auto const one = match(Method::Post, "/wake/worker-01");
    CHECK((one.route->handler == compatible_wake));
    CHECK(one.captures == std::vector<std::string>{"worker-01"});
    CHECK(match(Method::Get, "/status").route->access == Access::Viewer);
    CHECK(match(Method::Get, "/health").route->access == Access::Anyone);
    for (auto const& route : compatible_routes())
        if (route.method == Method::Post)
            CHECK(route.access == Access::Operator);
}
