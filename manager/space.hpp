#pragma once

#include <cstdint>
#include <optional>

namespace cpm::manager {

/// How much may still be appended (event log, "Space").
enum class SpaceLevel : std::uint8_t {
    Plenty,
    Reserve, ///< people's changes are refused; reports, deadlines and reads go on
    Full,    ///< nothing is appended, and silence proves nothing
};

/// The reserves, in bytes. RocksDB must never meet the end of the disk: it aborts there.
struct SpaceLimits {
    std::uint64_t reserve = 0; ///< below: Reserve
    std::uint64_t last = 0;    ///< below: Full
};

/// The default reserve: the larger of 256 MiB and 5 % of the file system; a quarter of it is the
/// last one.
constexpr SpaceLimits
space_limits(std::uint64_t total_bytes, std::optional<std::uint64_t> configured) {
    std::uint64_t const least = 256ULL << 20;
    std::uint64_t const share = total_bytes / 20;
    std::uint64_t const reserve = configured.value_or(share > least ? share : least);
    return {reserve, reserve / 4};
}

constexpr SpaceLevel space_level(std::uint64_t free_bytes, SpaceLimits const& limits) {
    if (free_bytes < limits.last)
        return SpaceLevel::Full;
    if (free_bytes < limits.reserve)
        return SpaceLevel::Reserve;
    return SpaceLevel::Plenty;
}

} // namespace cpm::manager
