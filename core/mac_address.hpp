#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::core {

/// A network card's address, the thing a magic packet names.
struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};
    auto operator<=>(MacAddress const&) const = default;
};

/// "52:54:00:12:34:56"
std::string to_string(MacAddress const& mac);

/// Any usual notation: colons, dashes, Cisco dots or none; either case. A group address (broadcast,
/// multicast) or the zero address names no machine and is not read.
std::optional<MacAddress> parse_mac_address(std::string_view text);

} // namespace cpm::core

template <>
struct std::hash<cpm::core::MacAddress> {
    std::size_t operator()(cpm::core::MacAddress const& mac) const noexcept {
        std::size_t value = 0;
        for (auto byte : mac.bytes)
            value = value * 256 + byte;
        return std::hash<std::size_t>{}(value);
    }
};
