#include "tests/wol/network_namespace.hpp"
#include "wol/udp_broadcast.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

using namespace cpm::wol;
using namespace cpm::wol::test;

namespace {

constexpr MacAddress kMac{0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF};
constexpr MacAddress kOtherMac{0x02, 0x00, 0x00, 0x00, 0x00, 0x07};

/// What the card of that machine waits for, written here independently of wol/magic_packet.hpp.
Bytes payload_for(MacAddress const& mac) {
    Bytes payload(6, 0xFF);
    for (int copy = 0; copy < 16; ++copy) {
        payload.insert(payload.end(), mac.begin(), mac.end());
    }
    return payload;
}

Bytes slice(Bytes const& bytes, std::size_t from, std::size_t size) {
    if (bytes.size() < from + size) {
        return {};
    }
    auto const first = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
}

/// Ethernet II, IPv4 without options, UDP: header by header, so that a failure names the field.
struct Expected {
    Bytes source_ip;
    Bytes destination_ip;
    Bytes port;
    Bytes payload;
};

Bytes big_endian(std::size_t number) {
    return {static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number & 0xFFU)};
}

void check_frame(Bytes const& frame, Expected const& expected) {
    auto const payload_size = expected.payload.size();
    CHECK(frame.size() == 42 + payload_size);
    CHECK(slice(frame, 0, 6) == Bytes(6, 0xFF));
    CHECK(slice(frame, 12, 2) == Bytes{0x08, 0x00});
    CHECK(slice(frame, 14, 1) == Bytes{0x45});
    CHECK(slice(frame, 16, 2) == big_endian(28 + payload_size));
    CHECK(slice(frame, 23, 1) == Bytes{17});
    CHECK(slice(frame, 26, 4) == expected.source_ip);
    CHECK(slice(frame, 30, 4) == expected.destination_ip);
    CHECK(slice(frame, 36, 2) == expected.port);
    CHECK(slice(frame, 38, 2) == big_endian(8 + payload_size));
    CHECK(slice(frame, 42, payload_size) == expected.payload);
}

Bytes payload_of(Bytes const& frame) {
    return frame.size() < 42 ? Bytes{} : slice(frame, 42, frame.size() - 42);
}

void add_lan(std::string const& name, std::string const& address) {
    add_cable(name);
    ip("address add " + address + " brd + dev " + name);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

WakeTarget by_interface(std::string name, MacAddress const& mac = kMac) {
    return {.mac = mac, .interface = std::move(name), .secure_on = std::nullopt};
}

WakeTarget to_address(Ipv4Address const& address) {
    return {
        .mac = kMac,
        .broadcast_address = address,
        .interface = std::nullopt,
        .secure_on = std::nullopt};
}

} // namespace

TEST_CASE("wake: a machine on the segment receives a well-formed broadcast frame") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const machine{"lan0-far"};
        auto const result = send_udp(to_address(kLimitedBroadcast));
        CHECK(result == WakeResult{"UDP 255.255.255.255 port 9 by lan0"});
        check_frame(
            machine.next(),
            {.source_ip = {10, 0, 0, 1},
             .destination_ip = {255, 255, 255, 255},
             .port = {0, 9},
             .payload = payload_for(kMac)}
        );
    });
}

TEST_CASE("wake: without a named interface every segment receives it once, with its own source") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        add_lan("lan1", "10.1.0.1/24");
        ip("address add 10.1.5.1/24 dev lan1 label lan1:more");
        ip("route add default via 10.0.0.254");
        Listener const first{"lan0-far"};
        Listener const second{"lan1-far"};
        CHECK(send_udp({.mac = kMac, .interface = {}, .secure_on = {}}).has_value());
        CHECK(send_udp({.mac = kOtherMac, .interface = {}, .secure_on = {}}).has_value());

        Expected expected{
            .source_ip = {10, 0, 0, 1},
            .destination_ip = {255, 255, 255, 255},
            .port = {0, 9},
            .payload = payload_for(kMac)};
        check_frame(first.next(), expected);
        expected.source_ip = {10, 1, 0, 1};
        check_frame(second.next(), expected);
        // Had one of them got the first packet twice, this would be it.
        CHECK(payload_of(first.next()) == payload_for(kOtherMac));
        CHECK(payload_of(second.next()) == payload_for(kOtherMac));
    });
}

TEST_CASE("wake: a named interface is the only one it leaves by") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        add_lan("lan1", "10.1.0.1/24");
        Listener const first{"lan0-far"};
        Listener const second{"lan1-far"};
        CHECK(send_udp(by_interface("lan1")) == WakeResult{"UDP 255.255.255.255 port 9 by lan1"});
        CHECK(send_udp(by_interface("lan0", kOtherMac)).has_value());
        CHECK(payload_of(second.next()) == payload_for(kMac));
        // The first thing lan0 carries is the packet meant for it.
        CHECK(payload_of(first.next()) == payload_for(kOtherMac));
    });
}

TEST_CASE("wake: a named interface needs no address of its own") {
    in_network_namespace([] {
        add_cable("lan0");
        Listener const machine{"lan0-far"};
        CHECK(send_udp(by_interface("lan0")).has_value());
        check_frame(
            machine.next(),
            {.source_ip = {0, 0, 0, 0},
             .destination_ip = {255, 255, 255, 255},
             .port = {0, 9},
             .payload = payload_for(kMac)}
        );
    });
}

TEST_CASE("wake: a directed broadcast leaves by the interface of its network") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        add_lan("lan1", "10.1.0.1/24");
        Listener const machine{"lan1-far"};
        auto const result = send_udp(to_address({10, 1, 0, 255}));
        CHECK(result == WakeResult{"UDP 10.1.0.255 port 9 by lan1"});
        check_frame(
            machine.next(),
            {.source_ip = {10, 1, 0, 1},
             .destination_ip = {10, 1, 0, 255},
             .port = {0, 9},
             .payload = payload_for(kMac)}
        );
    });
}

TEST_CASE("wake: a directed broadcast of a foreign network goes to its router") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        ip("route add 10.7.0.0/24 via 10.0.0.254");
        ip("neighbour add 10.0.0.254 lladdr 52:54:00:00:00:fe dev lan0");
        Listener const router{"lan0-far"};
        auto const result = send_udp(to_address({10, 7, 0, 255}));
        CHECK(result == WakeResult{"UDP 10.7.0.255 port 9 by the routing table"});
        auto const frame = router.next();
        CHECK(slice(frame, 0, 6) == Bytes{0x52, 0x54, 0x00, 0x00, 0x00, 0xFE});
        CHECK(payload_of(frame) == payload_for(kMac));
    });
}

TEST_CASE("wake: the SecureOn password ends the packet, and is in no text") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const machine{"lan0-far"};
        auto target = to_address(kLimitedBroadcast);
        target.secure_on = SecureOn{std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 6}};
        CHECK(send_udp(target) == WakeResult{"UDP 255.255.255.255 port 9 by lan0"});
        auto expected = payload_for(kMac);
        expected.insert(expected.end(), {1, 2, 3, 4, 5, 6});
        CHECK(payload_of(machine.next()) == expected);
    });
}

TEST_CASE("wake: each port gets a packet") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const machine{"lan0-far"};
        auto target = to_address(kLimitedBroadcast);
        target.ports = {7, 40009};
        CHECK(
            send_udp(target) == WakeResult{"UDP 255.255.255.255 port 7 by lan0, port 40009 by lan0"}
        );
        CHECK(slice(machine.next(), 36, 2) == Bytes{0, 7});
        CHECK(slice(machine.next(), 36, 2) == Bytes{0x9C, 0x49});
    });
}

TEST_CASE("wake: the loopback's broadcast works where there is no other interface") {
    in_network_namespace([] {
        ip("link set lo up");
        Listener const loopback{"lo"};
        auto const result = send_udp(to_address({127, 255, 255, 255}));
        CHECK(result == WakeResult{"UDP 127.255.255.255 port 9 by lo"});
        CHECK(payload_of(loopback.next()) == payload_for(kMac));
    });
}

TEST_CASE("wake: a program on this machine receives the loopback's broadcast, without privileges") {
    int const receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t size = sizeof address;
    REQUIRE(bind(receiver, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(receiver, reinterpret_cast<sockaddr*>(&address), &size) == 0);

    auto target = to_address({127, 255, 255, 255});
    target.ports = {ntohs(address.sin_port)};
    CHECK(send_udp(target).has_value());

    pollfd ready{.fd = receiver, .events = POLLIN, .revents = 0};
    CHECK(poll(&ready, 1, 5000) == 1);
    Bytes received(200);
    auto const length = recv(receiver, received.data(), received.size(), MSG_DONTWAIT);
    received.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    close(receiver);
    CHECK(received == payload_for(kMac));
}

TEST_CASE("wake: what cannot be sent says why, and what to do") {
    in_network_namespace([] {
        ip("link set lo up");
        auto const refusal = [&](WakeTarget const& target) {
            auto const result = send_udp(target);
            return result ? "sent: " + *result : result.error();
        };

        CHECK(contains(refusal(to_address(kLimitedBroadcast)), "no interface of this machine is up")
        );

        add_lan("lan0", "10.0.0.1/24");
        auto const no_route = refusal(to_address({10, 9, 9, 255}));
        CHECK(contains(no_route, "Network is unreachable"));
        CHECK(contains(no_route, "wake.interface"));

        CHECK(contains(refusal(by_interface("lan7")), "has no interface lan7; it has lo, "));

        auto elsewhere = to_address({10, 0, 0, 255});
        elsewhere.interface = "lo";
        CHECK(contains(refusal(elsewhere), "10.0.0.255 is the broadcast of lan0, not of lo"));

        cut_cable("lan0");
        CHECK(contains(refusal(by_interface("lan0")), "lan0 has no link"));
        CHECK(contains(refusal(to_address({10, 0, 0, 255})), "lan0 has no link"));
        CHECK(contains(refusal(to_address(kLimitedBroadcast)), "up with a link"));
        ip("link set lan0 down");
        CHECK(contains(refusal(by_interface("lan0")), "lan0 is down"));

        auto portless = to_address(kLimitedBroadcast);
        portless.ports.clear();
        CHECK(contains(refusal(portless), "wake.ports is empty"));
    });
}

TEST_CASE("wake: a packet that fails is named beside those that left") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const machine{"lan0-far"};
        auto target = to_address(kLimitedBroadcast);
        target.ports = {0, 9};
        CHECK(
            send_udp(target) ==
            WakeResult{
                "UDP 255.255.255.255 port 9 by lan0; failed port 0 by lan0: Invalid argument; "
                "wake.ports must be from 1 to 65535"}
        );
        CHECK(payload_of(machine.next()) == payload_for(kMac));
    });
}
