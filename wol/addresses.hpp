#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What wake-on-LAN needs of addresses, and no more. This layer includes no other one, so these are
/// plain byte arrays that its callers fill from their own types.
namespace cpm::wol {

/// The six bytes of an Ethernet hardware address, first byte sent first.
using MacAddress = std::array<std::uint8_t, 6>;

/// The four bytes of an IPv4 address in network order: {192, 168, 1, 255} is 192.168.1.255.
using Ipv4Address = std::array<std::uint8_t, 4>;

/// Every machine on the local segment, whatever its addresses (RFC 919, section 7).
inline constexpr Ipv4Address kLimitedBroadcast{255, 255, 255, 255};

/// Reads "192.168.1.255": four decimal numbers without leading zeros. Nothing for any other text.
[[nodiscard]] std::optional<Ipv4Address> parse_ipv4(std::string_view text);

/// Writes an address as parse_ipv4 reads it.
[[nodiscard]] std::string to_text(Ipv4Address const& address);

} // namespace cpm::wol
