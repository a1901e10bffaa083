#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::core {

/// The number of an event in the log, from 1; 0 is "none" (before the first event).
struct Sequence {
    std::uint64_t value = 0;
    constexpr auto operator<=>(Sequence const&) const = default;
    constexpr explicit operator bool() const { return value != 0; }
    constexpr Sequence next() const { return {value + 1}; }
};

/// A managed server. Random, never reused; written "srv_" and 16 lower-case hexadecimal digits. 0
/// is "no server".
struct ServerId {
    std::uint64_t value = 0;
    constexpr auto operator<=>(ServerId const&) const = default;
    constexpr explicit operator bool() const { return value != 0; }
};

std::string to_string(ServerId id);
std::optional<ServerId> parse_server_id(std::string_view text);

} // namespace cpm::core

template <>
struct std::hash<cpm::core::ServerId> {
    std::size_t operator()(cpm::core::ServerId id) const noexcept { return id.value; }
};
