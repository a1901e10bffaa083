#pragma once

#include "manager/random.hpp"

#include <random>

namespace cpm::test {

/// Randomness that a seed repeats. One thread at a time.
class SeededRandom final : public manager::Random {
  public:
    explicit SeededRandom(std::uint64_t seed)
        : engine_(seed) {}

    void fill(std::span<std::uint8_t> bytes) override {
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(engine_());
    }

  private:
    std::mt19937_64 engine_;
};

} // namespace cpm::test
