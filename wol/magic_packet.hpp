#pragma once

#include "wol/addresses.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// The magic packet as bytes (AMD publication 20213, "Magic Packet Technology"). Sending it is
/// wake_sender.hpp's matter.
namespace cpm::wol {

/// A SecureOn password: a network card that was armed with one wakes only for a packet that ends in
/// it. It travels in the clear. Six bytes are usual; some cards take four, written like an IPv4
/// address. No other length can be made.
class SecureOn {
  public:
    explicit constexpr SecureOn(std::array<std::uint8_t, 6> const& password)
        : bytes_{password}
        , size_{password.size()} {}
    explicit constexpr SecureOn(std::array<std::uint8_t, 4> const& password)
        : bytes_{password[0], password[1], password[2], password[3]}
        , size_{password.size()} {}

    /// Valid as long as this object.
    [[nodiscard]] constexpr std::span<std::uint8_t const> bytes() const {
        return std::span{bytes_}.first(size_);
    }

    friend constexpr bool operator==(SecureOn const&, SecureOn const&) = default;

  private:
    std::array<std::uint8_t, 6> bytes_{};
    std::size_t size_;
};

/// Six bytes 0xFF, the MAC address sixteen times, then the password if there is one: 102, 106 or
/// 108 bytes.
class MagicPacket {
  public:
    explicit constexpr MagicPacket(
        MacAddress const& mac, std::optional<SecureOn> const& secure_on = std::nullopt
    ) {
        auto end = std::fill_n(bytes_.begin(), kPreamble, std::uint8_t{0xFF});
        for (std::size_t copy = 0; copy < kCopies; ++copy) {
            end = std::copy(mac.begin(), mac.end(), end);
        }
        if (secure_on) {
            auto const password = secure_on->bytes();
            end = std::copy(password.begin(), password.end(), end);
        }
        size_ = static_cast<std::size_t>(end - bytes_.begin());
    }

    /// Valid as long as this object.
    [[nodiscard]] constexpr std::span<std::uint8_t const> bytes() const {
        return std::span{bytes_}.first(size_);
    }

  private:
    static constexpr std::size_t kPreamble = 6;
    static constexpr std::size_t kCopies = 16;
    static constexpr std::size_t kLongestPassword = 6;

    std::array<std::uint8_t, kPreamble + kCopies * 6 + kLongestPassword> bytes_{};
    std::size_t size_ = 0;
};

} // namespace cpm::wol
