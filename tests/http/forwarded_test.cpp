// Who a request comes from where a proxy stands between (HTTP 3.5).
#include "http/forwarded.hpp"

#include <doctest/doctest.h>

using namespace cpm::http;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

boost::asio::ip::address address(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

bool is_in(std::string_view network, std::string_view text) {
    auto const read = Network::parse(network);
    REQUIRE(read);
    return read->contains(address(text));
}

TrustedProxies proxies(std::string_view public_url = "https://cpm.example") {
    std::vector<std::string> const networks{"127.0.0.1", "10.1.0.0/16", "fd00::/8"};
    return {networks, public_url};
}

Client client_of(Fields const& fields, std::string_view peer = "127.0.0.1", bool secure = false) {
    auto const client = proxies().client_of(fields, address(peer), secure);
    REQUIRE(client);
    return *client;
}

std::string address_of(std::string forwarded_for, std::string_view peer = "127.0.0.1") {
    return client_of({{"x-forwarded-for", std::move(forwarded_for)}}, peer).address;
}

} // namespace

TEST_CASE("forwarded: a network is an address, or one with a length of 1 to its last bit") {
    for (auto const* const text :
         {"",
          "x",
          "10.0.0.0/",
          "10.0.0.0/0",
          "10.0.0.0/33",
          "10.0.0.0/8x",
          "10.0.0.0/-1",
          "::/0",
          "::1/129",
          "10.0.0/8",
          "/8",
          "localhost",
          "10.0.0.1 ",
          "10.0.0.1/8/8"})
        CHECK_MESSAGE(!Network::parse(text), text);
    CHECK(is_in("10.0.0.1", "10.0.0.1"));
    CHECK_FALSE(is_in("10.0.0.1", "10.0.0.2"));
    CHECK(is_in("10.1.2.3/16", "10.1.255.255"));
    CHECK_FALSE(is_in("10.1.2.3/16", "10.2.0.0"));
    CHECK(is_in("10.128.0.0/9", "10.255.0.1"));
    CHECK_FALSE(is_in("10.128.0.0/9", "10.127.255.255"));
    CHECK(is_in("10.0.0.0/8", "::ffff:10.3.4.5"));
    CHECK_FALSE(is_in("10.0.0.0/8", "::1"));
    CHECK(is_in("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK_FALSE(is_in("2001:db8::/33", "2001:db8:8000::1"));
}

TEST_CASE("forwarded: from whom nobody trusts, forwarded fields are ignored (3.5)") {
    Fields const fields{{"x-forwarded-for", "127.0.0.1"}, {"x-forwarded-proto", "https"}};
    auto const client = client_of(fields, "192.0.2.7");
    CHECK(client.address == "192.0.2.7");
    CHECK_FALSE(client.from_loopback);
    CHECK_FALSE(client.secure);
    CHECK(TrustedProxies().client_of(fields, address("127.0.0.1"), false)->from_loopback);
    // What cannot be read is nobody's matter either.
    CHECK(client_of({{"x-forwarded-for", "nonsense"}}, "192.0.2.7").address == "192.0.2.7");
}

TEST_CASE("forwarded: the client is the first from the right who is no trusted proxy (3.5)") {
    CHECK(address_of("192.0.2.1") == "192.0.2.1");
    CHECK(address_of("127.0.0.1, 192.0.2.1") == "192.0.2.1"); // the rest is his own claim
    CHECK(address_of("nonsense, 192.0.2.1") == "192.0.2.1");
    CHECK(address_of("192.0.2.1, 10.1.0.9,10.1.0.8") == "192.0.2.1");
    CHECK(address_of("192.0.2.1, 192.0.2.2 , fd00::5") == "192.0.2.2");
    CHECK(address_of("10.1.0.9, 10.1.0.8") == "10.1.0.9"); // it called by itself
    CHECK(address_of("192.0.2.1:4711") == "192.0.2.1");
    CHECK(address_of("2001:db8::1") == "2001:db8::1");
    CHECK(address_of("[2001:db8::1]:4711") == "2001:db8::1");
    CHECK(address_of("::ffff:192.0.2.1") == "192.0.2.1");
    CHECK(address_of("192.0.2.1", "::ffff:10.1.2.3") == "192.0.2.1");
    Fields const twice{{"x-forwarded-for", "127.0.0.1"}, {"x-forwarded-for", "192.0.2.3"}};
    CHECK(client_of(twice).address == "192.0.2.3");
}

TEST_CASE("forwarded: a stranger behind a proxy of this machine is not this machine (3.5)") {
    CHECK_FALSE(client_of({{"x-forwarded-for", "192.0.2.1"}}).from_loopback);
    CHECK(client_of({{"x-forwarded-for", "127.0.0.1"}}).from_loopback);
    CHECK(client_of({}).from_loopback); // not forwarded at all
}

TEST_CASE("forwarded: what a trusted proxy says and nobody can read is refused (3.5)") {
    for (auto const* const text : {"unknown", "_hidden", "192.0.2.1,", "", " ", "192.0.2.1, x"}) {
        auto const client =
            proxies().client_of({{"x-forwarded-for", text}}, address("127.0.0.1"), false);
        CHECK_MESSAGE(!client, text);
        if (!client)
            CHECK(client.error().status == 400);
    }
    Fields const unknown_scheme{{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-proto", "ftp"}};
    CHECK_FALSE(proxies().client_of(unknown_scheme, address("127.0.0.1"), false));
    Fields const nobody{{"x-forwarded-proto", "https"}};
    CHECK_FALSE(proxies().client_of(nobody, address("127.0.0.1"), false));
}

TEST_CASE("forwarded: how the client came is what the proxy says, else the public URL's way (3.5)"
) {
    Fields const plain{{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-proto", "http"}};
    Fields const tls{{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-proto", "https"}};
    Fields const silent{{"x-forwarded-for", "192.0.2.1"}};
    CHECK(client_of(tls).secure);
    CHECK_FALSE(client_of(plain, "127.0.0.1", true).secure);
    CHECK(client_of(silent).secure);
    auto const by_http = proxies("http://cpm.example");
    CHECK_FALSE(by_http.client_of(silent, address("127.0.0.1"), false)->secure);
    CHECK(client_of({}, "127.0.0.1", true).secure); // not forwarded: the connection's own way
    CHECK_FALSE(client_of({}).secure);
}
