#pragma once

#include "eventstore/record.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace cpm::sim {

/// The records of a log by their numbers, of which some were removed. A value whose copies share
/// what they have in common, so that a copy of a long log costs little.
class Records {
  public:
    struct Record {
        core::Sequence sequence;
        std::shared_ptr<std::uint8_t[]> bytes;
        std::uint32_t size = 0;
        core::Hash hash{};

        std::span<std::uint8_t const> span() const { return {bytes.get(), size}; }
    };

    void append(eventstore::NewRecord const& record);
    /// Leaves the first `count` numbers.
    void shrink(std::size_t count);
    /// What was there of these, in order.
    std::vector<Record> remove(core::Sequence first, core::Sequence last);
    /// What remove() gave.
    void restore(std::vector<Record> const& removed);

    std::size_t size() const { return size_; } ///< numbers, also of what was removed
    /// Null: there is none, or none any more.
    Record const* find(core::Sequence sequence) const;

  private:
    static constexpr std::size_t kChunk = 1024; ///< numbers
    using Chunk = std::vector<Record>;          ///< ascending

    static std::size_t chunk_of(core::Sequence sequence) { return (sequence.value - 1) / kChunk; }
    /// One that no copy sees.
    Chunk& own(std::size_t number);

    std::vector<std::shared_ptr<Chunk>> chunks_;
    std::size_t size_ = 0;
};

} // namespace cpm::sim
