#pragma once

#include "core/time.hpp"

#include <algorithm>
#include <cstdint>

namespace cpm::core {

/// The pause after the n-th round of magic packets (n from 1): 1 s, 2 s, 4 s, … growing for as long
/// as the server is Starting (status model 1.6).
constexpr seconds wake_pause(std::uint32_t rounds) {
    constexpr std::uint32_t kLastDoubling = 17; // 36 h: longer than any standby time
    return seconds{1LL << std::min(rounds - 1, kLastDoubling)};
}

} // namespace cpm::core
