#include "http/agent_answers.hpp"
#include "http/answers.hpp"
#include "http/join_line.hpp"
#include "http/own_names.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::http;

namespace {

Request with_header(std::string name, std::string value) {
    Request request;
    request.method = Method::Post;
    request.path = "/api/v1/servers";
    request.headers = {{std::move(name), std::move(value)}};
    return request;
}

manager::IdempotencyKey key_of(Request const& request) {
    auto const key = idempotency_key(request, "user:alice", request.body);
    REQUIRE(key);
    REQUIRE(*key);
    return **key;
}

} // namespace

TEST_CASE("answers: If-Match is one of our ETags, * or none (3.1)") {
    CHECK(etag({17}) == "\"17\"");
    CHECK(*if_match(with_header("if-match", "\"17\"")) == core::Sequence{17});
    CHECK_FALSE(*if_match(with_header("if-match", "*")));
    CHECK_FALSE(*if_match(Request{}));
    for (auto const* text :
         {"17", "\"\"", "\"x\"", "\"17", "W/\"17\"", "\"17\",\"18\"", "\"-1\""}) {
        auto const version = if_match(with_header("if-match", text));
        REQUIRE_MESSAGE(!version, text);
        CHECK(version.error().code == core::ErrorCode::Stale);
    }
}

TEST_CASE("answers: an Idempotency-Key is 1 to 200 visible ASCII characters (3.1)") {
    for (std::string const& text : {std::string("x"), std::string(200, '~'), std::string("a-1!")})
        CHECK(key_of(with_header("idempotency-key", text)).key == text);
    for (std::string const& text :
         {std::string(), std::string(201, 'x'), std::string("a b"), std::string("\xc3\xa4")}) {
        auto const key = idempotency_key(with_header("idempotency-key", text), "user:alice", "");
        REQUIRE_FALSE(key);
        CHECK(key.error().code == core::ErrorCode::Validation);
    }
    CHECK_FALSE(*idempotency_key(Request{}, "user:alice", ""));
}

TEST_CASE("answers: a repetition is the same method, path, query and body, and no other (3.1)") {
    auto const request = with_header("idempotency-key", "k");
    auto same = request;
    same.headers.emplace_back("user-agent", "another");
    CHECK(key_of(same).request == key_of(request).request);

    auto body = request;
    body.body = "{}";
    auto path = request;
    path.path += "/x";
    auto method = request;
    method.method = Method::Put;
    auto query = request;
    query.query = {{"force", "true"}};
    auto split = request;
    split.query = {{"forc", "etrue"}};
    for (auto const& other : {body, path, method, query, split})
        CHECK(key_of(other).request != key_of(request).request);
    CHECK(key_of(query).request != key_of(split).request);
}

TEST_CASE("answers: a secret goes out once and is null where the answer is remembered (3.1)") {
    auto const answer = make_answer(201, {{"id", "t"}, {"token", "secret"}}, {"token"});
    CHECK(boost::json::parse(answer.body) == boost::json::parse(R"({"id":"t","token":"secret"})"));
    CHECK(
        boost::json::parse(answer.remembered) == boost::json::parse(R"({"id":"t","token":null})")
    );
    CHECK(answer.remembered.find("secret") == std::string::npos);
}

TEST_CASE("answers: each reason for telling an agent ON is said in a sentence (3.3)") {
    CHECK(notice_text(core::Notice::None).empty());
    for (auto const notice :
         {core::Notice::CannotVerify,
          core::Notice::JoinedSince,
          core::Notice::SetAside,
          core::Notice::Ignored,
          core::Notice::RolledBack})
        CHECK(notice_text(notice).size() > 40);
}

TEST_CASE("join line: on plain HTTP public_url, else the LAN address and the called port (3.5)") {
    auto const asked = with_header("host", "127.0.0.1:8080");
    auto const url = [&](std::string_view public_url, std::optional<std::string> lan) {
        return join_address({.public_url = public_url, .lan_address = std::move(lan)}, asked).url;
    };
    CHECK(url("https://cpm.example/", "192.0.2.5") == "https://cpm.example");
    CHECK(url("", "192.0.2.5") == "http://192.0.2.5:8080");
    CHECK(url("", std::nullopt) == "http://127.0.0.1:8080");
    CHECK(
        join_address({.lan_address = "[2001:db8::1]"}, with_header("host", "[::1]:9")).url ==
        "http://[2001:db8::1]:9"
    );
    CHECK(
        join_address({.lan_address = "192.0.2.5"}, with_header("host", "localhost")).url ==
        "http://192.0.2.5"
    );
    CHECK(
        join_line({"http://192.0.2.5:8080", ""}, "cpm_join_x") ==
        "cpm-agent join http://192.0.2.5:8080 --token cpm_join_x"
    );
    if (auto const lan = first_lan_address()) {
        CHECK_FALSE(lan->starts_with("127."));
        CHECK(*lan != "[::1]");
    }
}

TEST_CASE("join line: leads to the TLS listener, with its pin, and never to loopback (3.5)") {
    auto const asked = with_header("host", "127.0.0.1:8080");
    auto const line = [&](std::string_view https, std::optional<std::string> lan) {
        OwnAddresses const own{
            .https = https, .ca_pin = "sha256:ab", .lan_address = std::move(lan)};
        return join_line(join_address(own, asked), "T");
    };
    auto const lan = "cpm-agent join https://192.0.2.5:8443 --token T --ca-pin sha256:ab";
    CHECK(line("0.0.0.0:8443", "192.0.2.5") == lan);
    CHECK(line("[::]:8443", "192.0.2.5") == lan);
    CHECK(line("127.0.0.1:8443", "192.0.2.5") == lan);
    CHECK(line("192.0.2.5:8443", "198.51.100.1") == lan); // it listens nowhere else
    auto const local = "cpm-agent join https://127.0.0.1:8443 --token T --ca-pin sha256:ab";
    CHECK(line("127.0.0.1:8443", std::nullopt) == local);
    auto const named = "cpm-agent join https://localhost:8443 --token T --ca-pin sha256:ab";
    CHECK(line("0.0.0.0:8443", std::nullopt) == named);
}

TEST_CASE("join line: a public URL has the pin only where it is the TLS listener itself (3.5)") {
    auto const asked = with_header("host", "127.0.0.1:8080");
    auto const pin = [&](std::string_view public_url, std::string_view https) {
        OwnAddresses const own{
            .public_url = public_url, .https = https, .ca_pin = "sha256:ab", .lan_address = {}};
        return join_address(own, asked).ca_pin;
    };
    CHECK(pin("https://cpm.example:8443/", "0.0.0.0:8443") == "sha256:ab");
    CHECK(pin("https://cpm.example", "0.0.0.0:443") == "sha256:ab");
    CHECK(pin("https://[2001:db8::1]:8443", "[::]:8443") == "sha256:ab");
    CHECK(pin("https://cpm.example", "0.0.0.0:8443").empty()); // a proxy, with its certificate
    CHECK(pin("http://cpm.example:8443", "0.0.0.0:8443").empty());
    CHECK(pin("https://cpm.example:8443", "").empty());
}
