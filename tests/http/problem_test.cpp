#include "http/problem.hpp"
#include "http/render.hpp"
#include "projections/event_json.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>
#include <stdexcept>

using namespace cpm;
using namespace cpm::http;
using core::ErrorCode;

namespace {

core::WallTime const kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

boost::json::object body_of(Response const& response) {
    return boost::json::parse(response.body).as_object();
}

std::string field(Response const& response, std::string_view name) {
    for (auto const& [key, value] : response.headers)
        if (key == name)
            return value;
    return "none";
}

} // namespace

TEST_CASE("problems: each error has its status, and a type as the log writes the reason (3.1)") {
    std::set<std::string_view> types;
    for (int i = 0; i <= static_cast<int>(ErrorCode::Confirm); ++i) {
        auto const code = static_cast<ErrorCode>(i);
        auto const& kind = problem_kind(code);
        CHECK(kind.type == fmt::format("/problems/{}", projections::reason_word(code)));
        CHECK(kind.status >= 400);
        CHECK_FALSE(kind.title.empty());
        CHECK_FALSE(reason_phrase(kind.status).empty());
        types.insert(kind.type);
    }
    CHECK(types.size() == static_cast<std::size_t>(ErrorCode::Confirm) + 1);
    CHECK(problem_kind(ErrorCode::StandbyOpen).status == 409);
    CHECK(problem_kind(ErrorCode::Gone).status == 410);
    CHECK(problem_kind(ErrorCode::Stale).status == 412);
    CHECK(problem_kind(ErrorCode::KeyReused).status == 422);
    CHECK(problem_kind(ErrorCode::NoSpace).status == 507);
}

TEST_CASE("problems: an open standby time says until when and how long (3.2)") {
    core::Error const error{ErrorCode::StandbyOpen, "wait", {}, 212};
    auto const response = problem(error, kNow);
    CHECK(response.status == 409);
    CHECK(response.content_type == "application/problem+json");
    CHECK(field(response, "Retry-After") == "212");
    CHECK(
        body_of(response) ==
        boost::json::object{
            {"type", "/problems/standby"},
            {"title", "A power change is under way"},
            {"status", 409},
            {"detail", "wait"},
            {"remaining_seconds", 212},
            {"standby_until", "2026-11-21T00:03:32.000Z"},
        }
    );
}

TEST_CASE("problems: a validation names each field (3.1)") {
    core::Error const error{
        ErrorCode::Validation, "two faults", {{"name", "is missing"}, {"a", "b"}}};
    auto const body = body_of(problem(error, kNow));
    CHECK(body.at("status") == 422);
    CHECK(
        body.at("errors") ==
        boost::json::array{
            boost::json::object{{"field", "name"}, {"message", "is missing"}},
            boost::json::object{{"field", "a"}, {"message", "b"}},
        }
    );
    CHECK_FALSE(body.contains("remaining_seconds"));
}

TEST_CASE("problems: whoever is throttled is told to wait a second at least (3.1)") {
    CHECK(field(problem({ErrorCode::Throttled, "slow"}, kNow), "Retry-After") == "1");
    CHECK(field(problem(429, "all connections are taken"), "Retry-After") == "1");
    CHECK(field(problem({ErrorCode::NotFound, "no"}, kNow), "Retry-After") == "none");
    CHECK(field(problem({ErrorCode::NotSignedIn, "no"}, kNow), "WWW-Authenticate") == "Bearer");
}

TEST_CASE("responses: a field that would break the head is never sent (3.5)") {
    Response response;
    response.headers.emplace_back("X", "a\r\nSet-Cookie: b");
    CHECK_THROWS_AS(render_head(response, {}, kNow), std::logic_error);
}

TEST_CASE("responses: a 304 and a 204 say nothing of a body, a stream nothing of a length") {
    for (int const status : {204, 304}) {
        auto const head = render_head({.status = status}, {}, kNow);
        CHECK(head.find("Content-") == head.find("Content-Security-Policy"));
    }
    auto const head = render_head({.body = "12345"}, {.keep_alive = false}, kNow);
    CHECK(head.starts_with("HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\n"));
    CHECK(head.find("\r\nContent-Length: 5\r\n") != std::string::npos);
    CHECK(head.ends_with("\r\nConnection: close\r\n\r\n"));
}
