#include "tests/wol/network_namespace.hpp"
#include "wol/interfaces.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cpm::wol;
using namespace cpm::wol::test;

namespace {

Interface interface_named(std::string const& name) {
    auto const listed = list_interfaces();
    REQUIRE(listed.has_value());
    auto const found = std::ranges::find(*listed, name, &Interface::name);
    REQUIRE(found != listed->end());
    return *found;
}

} // namespace

TEST_CASE("interfaces: an Ethernet interface has its MAC, number, addresses and broadcast") {
    in_network_namespace([] {
        add_cable("lan0");
        ip("link set lan0 address 52:54:00:01:02:03");
        ip("address add 10.1.2.3/20 brd + dev lan0");
        auto const lan = interface_named("lan0");
        CHECK(lan.index > 0);
        CHECK(lan.mac == MacAddress{0x52, 0x54, 0x00, 0x01, 0x02, 0x03});
        CHECK(lan.up);
        CHECK(lan.running);
        CHECK(lan.can_broadcast);
        CHECK_FALSE(lan.loopback);
        REQUIRE(lan.ipv4.size() == 1);
        CHECK(lan.ipv4[0].address == Ipv4Address{10, 1, 2, 3});
        CHECK(lan.ipv4[0].broadcast == Ipv4Address{10, 1, 15, 255});
    });
}

TEST_CASE("interfaces: the broadcast is known where the address was added without one") {
    in_network_namespace([] {
        add_cable("lan0");
        ip("address add 192.168.7.1/25 dev lan0");
        CHECK(interface_named("lan0").ipv4.at(0).broadcast == Ipv4Address{192, 168, 7, 127});
    });
}

TEST_CASE("interfaces: a network of one or two addresses has no broadcast") {
    in_network_namespace([] {
        add_cable("lan0");
        ip("address add 10.0.0.0/31 dev lan0");
        ip("address add 10.9.9.9/32 dev lan0");
        auto const lan = interface_named("lan0");
        REQUIRE(lan.ipv4.size() == 2);
        CHECK_FALSE(lan.ipv4[0].broadcast.has_value());
        CHECK_FALSE(lan.ipv4[1].broadcast.has_value());
    });
}

TEST_CASE("interfaces: an address with a label belongs to the interface that carries it") {
    in_network_namespace([] {
        add_cable("lan0");
        ip("address add 10.0.0.1/24 dev lan0");
        ip("address add 10.5.0.1/24 dev lan0 label lan0:alias");
        auto const lan = interface_named("lan0");
        REQUIRE(lan.ipv4.size() == 2);
        CHECK(lan.ipv4[1].address == Ipv4Address{10, 5, 0, 1});
        CHECK(list_interfaces()->size() == 3); // with lo and lan0-far
    });
}

TEST_CASE("interfaces: down, and up without a link, are told apart") {
    in_network_namespace([] {
        ip("link add lan0 type veth peer name lan0-far");
        CHECK_FALSE(interface_named("lan0").up);
        ip("link set lan0 up");
        CHECK(interface_named("lan0").up);
        CHECK_FALSE(interface_named("lan0").running);
    });
}

TEST_CASE("interfaces: the loopback has no MAC, and a broadcast of its own") {
    in_network_namespace([] {
        ip("link set lo up");
        auto const loopback = interface_named("lo");
        CHECK(loopback.loopback);
        CHECK_FALSE(loopback.mac.has_value());
        REQUIRE(loopback.ipv4.size() == 1);
        CHECK(loopback.ipv4[0].address == Ipv4Address{127, 0, 0, 1});
        CHECK(loopback.ipv4[0].broadcast == Ipv4Address{127, 255, 255, 255});
    });
}
