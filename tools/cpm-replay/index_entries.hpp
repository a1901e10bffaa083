#pragma once

#include "core/ids.hpp"

#include <cstdint>

namespace cpm::replay {

/// A sum over entries of the index, in any order: equal sums, equal entries.
class IndexEntries {
  public:
    void add(core::ServerId server, core::Sequence sequence) {
        ++count_;
        sum_ += mixed(server.value ^ mixed(sequence.value));
    }
    std::uint64_t count() const { return count_; }
    bool operator==(IndexEntries const&) const = default;

  private:
    /// The finisher of splitmix64: every bit of the result depends on every bit of the value.
    static std::uint64_t mixed(std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
};

} // namespace cpm::replay
