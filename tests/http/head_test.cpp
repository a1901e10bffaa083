// The framing rules (HTTP 3.5) on bytes and on plain heads. What the wire sees of them is in
// tests/e2e/test_door.py.
#include "http/head.hpp"
#include "http/head_check.hpp"
#include "http/target.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace cpm::http;

namespace {

std::vector<std::string> const kNames{"cpm.example"};

Checked<CheckedHead> check(Head const& head) {
    return check_head(head, {"192.0.2.1", kNames});
}

Head get(std::string target = "/healthz") {
    return {"GET", std::move(target), 11, {{"host", "localhost"}}};
}

Head post(std::string length = "2") {
    return {
        "POST",
        "/api/v1/servers",
        11,
        {{"host", "localhost"}, {"content-type", "application/json"}, {"content-length", length}}};
}

Head with(Head head, std::string name, std::string value) {
    head.fields.emplace_back(std::move(name), std::move(value));
    return head;
}

int status_of(Checked<CheckedHead> const& checked) {
    return checked ? 200 : checked.error().status;
}

int scanned(std::string_view bytes) {
    auto const size = scan_head(bytes);
    return size ? static_cast<int>(*size) : -size.error().status;
}

} // namespace

TEST_CASE("head: it ends with the first empty line, and what follows is not looked at (3.5)") {
    std::string const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(scanned(head) == 27);
    CHECK(scanned(head + "\n\0 anything") == 27);
    for (std::size_t size = 0; size < head.size(); ++size)
        CHECK(scanned(head.substr(0, size)) == 0);
}

TEST_CASE("head: what no later byte can make good is refused at once (3.5)") {
    CHECK(scanned("GET / HTTP/1.1\n") == -400);
    CHECK(scanned("GET / HTTP/1.1\r\nHost: a\n") == -400);
    CHECK(scanned("GET / HTTP/1.1\r\nHost: a\r\n b") == 0); // its line has not ended yet
    CHECK(scanned("GET / HTTP/1.1\r\nHost: a\r\n b\r\n") == -400);
    CHECK(scanned("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n") == -400);
    CHECK(scanned("GET / HTTP/1.1\r\nHost: a\rb") == -400);
    CHECK(scanned(std::string_view("GET / HTTP/1.1\r\nHost: a\0b", 26)) == -400);
    CHECK(scanned("\r\n") == -400);
    CHECK(scanned("GET / HTTP/1.1\r\nX: \x7f") == -400);
    CHECK(scanned("GET / HTTP/1.1\r\nX: \xc3\xa9\tb\r\n\r\n") == 27);
}

TEST_CASE("head: 8 KiB are its limit to the byte, and a long target is told apart (3.5)") {
    std::string const start = "GET / HTTP/1.1\r\nX: ";
    auto const filled = [&](std::size_t size) {
        return start + std::string(size - start.size() - 4, 'a') + "\r\n\r\n";
    };
    CHECK(scanned(filled(kMaxHead)) == static_cast<int>(kMaxHead));
    CHECK(scanned(filled(kMaxHead + 1)) == -431);
    CHECK(scanned(filled(kMaxHead).substr(0, kMaxHead - 1)) == 0);
    CHECK(scanned("GET /" + std::string(kMaxTarget + 100, 'a')) == -414);
}

TEST_CASE("head: the parser splits names in lower case and keeps repetitions (3.5)") {
    auto const head = parse_head("PUT /a?b HTTP/1.0\r\nHost: X\r\nX-A:  one \r\nx-a: two\r\n\r\n");
    REQUIRE(head);
    CHECK(head->method == "PUT");
    CHECK(head->target == "/a?b");
    CHECK(head->version == 10);
    REQUIRE(head->fields.size() == 3);
    CHECK(head->fields[0] == std::pair<std::string, std::string>{"host", "X"});
    CHECK(head->fields[1] == std::pair<std::string, std::string>{"x-a", "one"});
    CHECK(head->fields[2] == std::pair<std::string, std::string>{"x-a", "two"});
}

TEST_CASE("head: a body has one length, and no other framing (3.5)") {
    CHECK(status_of(check(post())) == 200);
    CHECK(check(post("65536"))->content_length == 65536);
    CHECK(check(post("0"))->content_length == 0);
    for (std::string const length : {"", "+2", "-1", "2 ", "2,2", "0x2", "99999999999999999999"})
        CHECK(status_of(check(post(length))) == 400);
    CHECK(status_of(check(with(post(), "content-length", "2"))) == 400);
    CHECK(status_of(check(with(post(), "content_length", "2"))) == 400);
    CHECK(status_of(check(with(post(), "transfer-encoding", "chunked"))) == 411);
    CHECK(status_of(check(with(post(), "transfer-encoding", "gzip"))) == 501);
    CHECK(status_of(check(with(post(), "transfer_encoding", "chunked"))) == 400);
    auto old = with(post(), "transfer-encoding", "chunked");
    old.version = 10;
    CHECK(status_of(check(old)) == 400);
    auto none = post();
    none.fields.pop_back();
    CHECK(status_of(check(none)) == 411);
    none.method = "DELETE";
    CHECK(status_of(check(none)) == 200);
    CHECK(status_of(check(with(get(), "content-length", "2"))) == 400);
    CHECK(status_of(check(with(get(), "content-length", "0"))) == 200);
}

TEST_CASE("head: a change that announces no body has none, and ends its connection (3.5)") {
    Head bare{"POST", "/", 11, {{"host", "localhost"}}};
    for (auto const* method : {"POST", "PUT", "PATCH"}) {
        bare.method = method;
        auto const checked = check(bare);
        REQUIRE(checked);
        CHECK(checked->content_length == 0);
        CHECK_FALSE(checked->keep_alive);
        CHECK(check(with(bare, "content-length", "0"))->keep_alive);
    }
    bare.method = "POST";
    CHECK(status_of(check(with(bare, "content-type", "application/json"))) == 411);
    CHECK(status_of(check(with(bare, "transfer-encoding", "chunked"))) == 411);
    bare.version = 10;
    CHECK(status_of(check(bare)) == 411);
}

TEST_CASE("head: Host is there once and one of the manager's names (3.5)") {
    auto const host = [](std::string value) {
        return status_of(check({"GET", "/", 11, {{"host", std::move(value)}}}));
    };
    CHECK(status_of(check({"GET", "/", 11, {}})) == 400);
    CHECK(status_of(check(with(get(), "host", "localhost"))) == 400);
    for (auto const* own :
         {"localhost",
          "LocalHost:8080",
          "127.0.0.1:1",
          "[::1]",
          "[0:0::1]:80",
          "192.0.2.1",
          "192.0.2.1:8080",
          "cpm.example",
          "CPM.EXAMPLE:443"})
        CHECK(host(own) == 200);
    for (auto const* other : {"192.0.2.2", "cpm.example.evil", "xcpm.example", "[::2]", "127.1"})
        CHECK(host(other) == 421);
    for (auto const* broken :
         {"", ":80", "a b", "a:b", "a:1:2", "[::1", "[::1]x", "a:1234567", "é"})
        CHECK(host(broken) == 400);
}

TEST_CASE("head: keeping the connection is HTTP/1.1's rule, closing anybody's wish (3.5)") {
    CHECK(check(get())->keep_alive);
    CHECK_FALSE(check(with(get(), "connection", "Close"))->keep_alive);
    CHECK_FALSE(check(with(get(), "connection", "x , close"))->keep_alive);
    CHECK(check(with(get(), "connection", "closed, upgrade"))->keep_alive);
    auto old = with(get(), "connection", "keep-alive");
    old.version = 10;
    CHECK_FALSE(check(old)->keep_alive);
    auto newer = get();
    newer.version = 20;
    CHECK(status_of(check(newer)) == 505);
}

TEST_CASE("head: a HEAD is a GET without a body, other methods are named or refused (3.5)") {
    auto head = get();
    head.method = "HEAD";
    REQUIRE(check(head));
    CHECK(check(head)->head_only);
    CHECK(check(head)->request.method == Method::Get);
    for (auto const& [method, status] :
         {std::pair{"CONNECT", 405},
          {"TRACE", 405},
          {"OPTIONS", 405},
          {"get", 501},
          {"PROPFIND", 501}}) {
        head.method = method;
        CHECK(status_of(check(head)) == status);
    }
}

TEST_CASE("target: path and query are decoded, each escape once (3.5)") {
    auto const target = parse_target("/a%20b/%E3%81%82?q=a+b%2Bc&x&y=1=2&&z=%252F");
    REQUIRE(target);
    CHECK(target->path == "/a b/あ");
    using Query = std::vector<std::pair<std::string, std::string>>;
    CHECK(target->query == Query{{"q", "a b+c"}, {"x", ""}, {"y", "1=2"}, {"z", "%2F"}});
    CHECK(parse_target("http://h:1/?x").value().authority == "h:1");
}

TEST_CASE("target: what decodes to something else elsewhere is refused (3.5)") {
    for (auto const* bad :
         {"",
          "*",
          "a",
          "/a b",
          "/\x80",
          "/%",
          "/%f",
          "/%g0",
          "/%00",
          "/%7f",
          "/a%2Fb",
          "/a%5cb",
          "/%c0%80",
          "/%ed%a0%80",
          "/%f4%90%80%80",
          "/%e3%81",
          "/?%80",
          "http://",
          "https://?a"})
        CHECK_FALSE(parse_target(bad));
    CHECK(parse_target("/" + std::string(kMaxTarget - 1, 'a')));
    CHECK(parse_target("/" + std::string(kMaxTarget, 'a')).error().status == 414);
}

TEST_CASE("head: damaged requests are refused or read, and never more than was sent (3.5)") {
    std::mt19937_64 random(20261121);
    INFO("seed 20261121");
    std::string const good = "POST /api/v1/servers?a=b%20c HTTP/1.1\r\nHost: localhost:8080\r\n"
                             "Content-Type: application/json\r\nContent-Length: 17\r\n"
                             "Authorization: Bearer x\r\nConnection: keep-alive\r\n\r\n";
    std::string_view const spice = "\r\n :;,%_/\\\"\0\x7f\x80\xff?#[]@09aZ+-";
    int read = 0;
    for (int i = 0; i < 20000; ++i) {
        auto bytes = good;
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            auto const at = random() % bytes.size();
            auto const byte = spice[random() % spice.size()];
            if (random() % 3 == 0)
                bytes.erase(at, 1);
            else if (random() % 2 == 0)
                bytes[at] = byte;
            else
                bytes.insert(at, 1, byte);
        }
        auto const size = scan_head(bytes);
        if (!size || *size == 0)
            continue;
        REQUIRE(*size <= bytes.size());
        auto const head = parse_head(std::string_view(bytes).substr(0, *size));
        if (!head)
            continue;
        auto const checked = check(*head);
        if (!checked)
            continue;
        ++read;
        // What was let through has exactly one reading.
        CHECK(std::ranges::count_if(head->fields, [](auto const& field) {
                  return field.first == "content-length";
              }) <= 1);
        CHECK_FALSE(checked->request.header("transfer-encoding"));
        CHECK(checked->request.header("host"));
        CHECK(checked->request.path.find('\0') == std::string::npos);
    }
    CHECK(read > 1000);
}
