#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace cpm::sim {

/// All chance of a run: the same seed, the same numbers, whatever the compiler or the library.
/// xoshiro256** seeded by splitmix64. (No distribution of the standard library: those differ.)
class Dice {
  public:
    explicit Dice(std::uint64_t seed) {
        for (auto& word : state_)
            word = split(seed);
    }

    std::uint64_t next() {
        auto const result = rotate(state_[1] * 5, 7) * 9;
        auto const shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate(state_[3], 45);
        return result;
    }
    /// 0 to `end` − 1; 0 when `end` is 0.
    std::uint64_t below(std::uint64_t end) { return end == 0 ? 0 : next() % end; }
    /// Both included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    /// True in so many of a million. Rolls nothing for 0, so that a fault left out costs nothing.
    bool in_a_million(std::uint32_t times) { return times > 0 && below(1'000'000) < times; }
    bool percent(std::uint32_t times) { return in_a_million(times * 10'000); }

    void fill(std::span<std::uint8_t> bytes) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (i % 8 == 0)
                word = next();
            bytes[i] = static_cast<std::uint8_t>(word >> (i % 8 * 8));
        }
    }
    /// Another sequence, that of this one's next number.
    Dice fork() { return Dice(next()); }

  private:
    static std::uint64_t rotate(std::uint64_t value, int by) {
        return (value << by) | (value >> (64 - by));
    }
    static std::uint64_t split(std::uint64_t& seed) {
        seed += 0x9e3779b97f4a7c15;
        auto value = seed;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    std::array<std::uint64_t, 4> state_{};
};

} // namespace cpm::sim
