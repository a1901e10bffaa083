#include "wol/addresses.hpp"
#include "wol/magic_packet.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace cpm::wol;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr MacAddress kMac{0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF};

// clang-format off
Bytes const kPacket{
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
    0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF, 0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF,
};
// clang-format on

Bytes bytes_of(MagicPacket const& packet) {
    return {packet.bytes().begin(), packet.bytes().end()};
}

Bytes packet_and(Bytes const& tail) {
    Bytes all = kPacket;
    all.insert(all.end(), tail.begin(), tail.end());
    return all;
}

// The packet of a fixed machine can be a constant.
static_assert(MagicPacket{kMac}.bytes().size() == 102);

} // namespace

TEST_CASE("magic packet: six bytes 0xFF, then the MAC address sixteen times") {
    CHECK(bytes_of(MagicPacket{kMac}) == kPacket);
}

TEST_CASE("magic packet: a SecureOn password of six bytes stands at the end") {
    SecureOn const password{std::array<std::uint8_t, 6>{0x00, 0x11, 0x22, 0x33, 0x44, 0xFF}};
    CHECK(
        bytes_of(MagicPacket{kMac, password}) == packet_and({0x00, 0x11, 0x22, 0x33, 0x44, 0xFF})
    );
}

TEST_CASE("magic packet: a SecureOn password of four bytes is not padded") {
    SecureOn const password{std::array<std::uint8_t, 4>{192, 168, 0, 1}};
    CHECK(bytes_of(MagicPacket{kMac, password}) == packet_and({192, 168, 0, 1}));
}

TEST_CASE("addresses: an IPv4 address is read and written as four decimal numbers") {
    CHECK(parse_ipv4("192.168.1.255") == Ipv4Address{192, 168, 1, 255});
    CHECK(to_text({10, 0, 0, 1}) == "10.0.0.1");
}

TEST_CASE("addresses: text that is no IPv4 address is refused") {
    using namespace std::string_view_literals;
    for (auto const text :
         {""sv,
          "10.0.0"sv,
          "10.0.0.256"sv,
          "10.0.0.1 "sv,
          "010.0.0.1"sv,
          "::1"sv,
          "10.0.0.1\0x"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_ipv4(text).has_value());
    }
}
