#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::core {

/// A boot, as the kernel names it (/proc/sys/kernel/random/boot_id): a lower-case UUID.
struct BootId {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(BootId const&) const = default;
};

std::string to_string(BootId const& id);
/// Only the canonical form is read: lower case, five groups.
std::optional<BootId> parse_boot_id(std::string_view text);

/// The boot identity (1.1): changes with each boot and each resume from suspend. A boot id without
/// the count is none.
struct BootIdentity {
    BootId boot_id;
    std::uint64_t resume_count = 0;
    auto operator<=>(BootIdentity const&) const = default;
};

} // namespace cpm::core
