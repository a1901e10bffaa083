#include "tests/support/skip.hpp"
#include "tests/wol/network_namespace.hpp"
#include "wol/lan_sender.hpp"

#include <doctest/doctest.h>

#include <linux/capability.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace cpm::wol;
using namespace cpm::wol::test;

namespace {

constexpr MacAddress kMac{0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF};
constexpr std::uint16_t kWakeType = 0x0842;
constexpr std::uint16_t kIpType = 0x0800;

/// What the card of that machine waits for, written here independently of wol/magic_packet.hpp.
Bytes payload(Bytes const& password = {}) {
    Bytes bytes(6, 0xFF);
    for (int copy = 0; copy < 16; ++copy) {
        bytes.insert(bytes.end(), kMac.begin(), kMac.end());
    }
    bytes.insert(bytes.end(), password.begin(), password.end());
    return bytes;
}

Bytes slice(Bytes const& bytes, std::size_t from, std::size_t size) {
    if (bytes.size() < from + size) {
        return {};
    }
    auto const first = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
}

void check_frame(Bytes const& frame, Bytes const& expected) {
    CHECK(slice(frame, 0, 6) == Bytes(6, 0xFF));
    CHECK(slice(frame, 12, 2) == Bytes{0x08, 0x42});
    CHECK(frame.size() == 14 + expected.size());
    CHECK(slice(frame, 14, expected.size()) == expected);
}

void add_lan(std::string const& name, std::string const& address) {
    add_cable(name);
    ip("address add " + address + " brd + dev " + name);
}

WakeTarget target_of(Ipv4Address const& address) {
    return {
        .mac = kMac,
        .broadcast_address = address,
        .interface = std::nullopt,
        .secure_on = std::nullopt};
}

WakeTarget by_interface(std::string name) {
    auto target = target_of(kLimitedBroadcast);
    target.interface = std::move(name);
    return target;
}

/// From here on the calling thread may send no frames, as a process without CAP_NET_RAW.
void give_up_capabilities() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct none[2]{};
    REQUIRE(syscall(SYS_capset, &header, none) == 0);
}

} // namespace

TEST_CASE("frames: a machine receives a frame of type 0x0842 beside the UDP packet") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const frames{"lan0-far", kWakeType};
        Listener const packets{"lan0-far", kIpType};
        CHECK(
            LanSender{}.send(target_of(kLimitedBroadcast)) ==
            WakeResult{"UDP 255.255.255.255 port 9 by lan0; Ethernet by lan0"}
        );
        check_frame(frames.next(), payload());
        auto const packet = packets.next();
        CHECK(slice(packet, 42, 102) == payload());
    });
}

TEST_CASE("frames: the SecureOn password ends the frame, and is in no text") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const frames{"lan0-far", kWakeType};
        auto target = target_of(kLimitedBroadcast);
        target.secure_on = SecureOn{std::array<std::uint8_t, 4>{0xC0, 0, 2, 1}};
        CHECK(
            LanSender{}.send(target) ==
            WakeResult{"UDP 255.255.255.255 port 9 by lan0; Ethernet by lan0"}
        );
        check_frame(frames.next(), payload({0xC0, 0, 2, 1}));
    });
}

TEST_CASE("frames: they leave by the named interface alone, which needs no address") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        add_cable("lan1");
        Listener const first{"lan0-far", kWakeType};
        Listener const second{"lan1-far", kWakeType};
        LanSender sender;
        CHECK(
            sender.send(by_interface("lan1")) ==
            WakeResult{"UDP 255.255.255.255 port 9 by lan1; Ethernet by lan1"}
        );
        check_frame(second.next(), payload());
        auto marked = by_interface("lan0");
        marked.secure_on = SecureOn{std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 6}};
        CHECK(sender.send(marked).has_value());
        // The first frame lan0 carries is the one meant for it.
        check_frame(first.next(), payload({1, 2, 3, 4, 5, 6}));
    });
}

TEST_CASE("frames: none for a foreign network, whose segment they cannot reach, nor by loopback") {
    in_network_namespace([] {
        ip("link set lo up");
        add_lan("lan0", "10.0.0.1/24");
        ip("route add 10.7.0.0/24 via 10.0.0.254");
        LanSender sender;
        CHECK(
            sender.send(target_of({10, 7, 0, 255})) ==
            WakeResult{"UDP 10.7.0.255 port 9 by the routing table"}
        );
        CHECK(
            sender.send(target_of({127, 255, 255, 255})) ==
            WakeResult{"UDP 127.255.255.255 port 9 by lo"}
        );
    });
}

TEST_CASE("frames: without CAP_NET_RAW the UDP packet is all, and nothing is said to have failed") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const packets{"lan0-far", kIpType};
        give_up_capabilities();
        CHECK(
            LanSender{}.send(target_of(kLimitedBroadcast)) ==
            WakeResult{"UDP 255.255.255.255 port 9 by lan0"}
        );
        auto const packet = packets.next();
        CHECK(slice(packet, 42, 102) == payload());
    });
}

TEST_CASE("frames: one way that works is a success, and the text says what became of both") {
    in_network_namespace([] {
        add_lan("lan0", "10.0.0.1/24");
        Listener const frames{"lan0-far", kWakeType};
        auto target = target_of(kLimitedBroadcast);
        target.ports = {0}; // no UDP packet can go there
        auto const by_frame = LanSender{}.send(target);
        REQUIRE(by_frame);
        CAPTURE(*by_frame);
        CHECK(by_frame->starts_with("Ethernet by lan0; failed UDP: nothing sent to 255.255.255."));
        check_frame(frames.next(), payload());

        ip("link set lan0 mtu 80"); // IP is cut into fragments, a frame cannot be
        auto const by_packet = LanSender{}.send(target_of(kLimitedBroadcast));
        REQUIRE(by_packet);
        CAPTURE(*by_packet);
        CHECK(by_packet->starts_with("UDP 255.255.255.255 port 9 by lan0; failed Ethernet by lan0: "
        ));

        CHECK_FALSE(LanSender{}.send(target).has_value());
    });
}

TEST_CASE("segments: an address is local where an interface that is up is in its network") {
    in_network_namespace([] {
        add_cable("lan0");
        ip("address add 10.1.5.1/20 dev lan0");
        LanSender sender;
        CHECK(sender.is_local({10, 1, 0, 9}));
        CHECK(sender.is_local({10, 1, 15, 255}));
        CHECK_FALSE(sender.is_local({10, 1, 16, 9}));
        CHECK_FALSE(sender.is_local({10, 2, 5, 1}));
        ip("link set lan0 down");
        CHECK_FALSE(sender.is_local({10, 1, 0, 9}));
    });
}
