#include "tests/sim/records.hpp"

#include <algorithm>
#include <cstring>

namespace cpm::sim {

Records::Chunk& Records::own(std::size_t number) {
    auto& chunk = chunks_[number];
    if (chunk.use_count() > 1)
        chunk = std::make_shared<Chunk>(*chunk);
    return *chunk;
}

void Records::append(eventstore::NewRecord const& record) {
    core::Sequence const sequence{++size_};
    if (chunk_of(sequence) == chunks_.size())
        chunks_.push_back(std::make_shared<Chunk>());
    auto bytes = std::make_shared_for_overwrite<std::uint8_t[]>(record.bytes.size());
    std::memcpy(bytes.get(), record.bytes.data(), record.bytes.size());
    own(chunk_of(sequence))
        .push_back(
            {sequence,
             std::move(bytes),
             static_cast<std::uint32_t>(record.bytes.size()),
             record.hash}
        );
}

void Records::shrink(std::size_t count) {
    if (count >= size_)
        return;
    size_ = count;
    chunks_.resize((count + kChunk - 1) / kChunk);
    if (!chunks_.empty())
        std::erase_if(own(chunks_.size() - 1), [&](auto const& record) {
            return record.sequence.value > count;
        });
}

std::vector<Records::Record> Records::remove(core::Sequence first, core::Sequence last) {
    std::vector<Record> removed;
    for (auto number = chunk_of(first); number <= chunk_of(last); ++number) {
        auto& chunk = own(number);
        auto const begin = std::ranges::lower_bound(chunk, first, {}, &Record::sequence);
        auto const end = std::ranges::upper_bound(chunk, last, {}, &Record::sequence);
        removed.insert(removed.end(), begin, end);
        chunk.erase(begin, end);
        if (4 * chunk.size() < chunk.capacity())
            chunk.shrink_to_fit();
    }
    return removed;
}

void Records::restore(std::vector<Record> const& removed) {
    for (auto const& record : removed) {
        auto& chunk = own(chunk_of(record.sequence));
        chunk.insert(
            std::ranges::lower_bound(chunk, record.sequence, {}, &Record::sequence), record
        );
    }
}

Records::Record const* Records::find(core::Sequence sequence) const {
    if (sequence.value == 0 || sequence.value > size_)
        return nullptr;
    auto const& chunk = *chunks_[chunk_of(sequence)];
    auto const index = (sequence.value - 1) % kChunk; // if none before it was removed
    if (index < chunk.size() && chunk[index].sequence == sequence)
        return &chunk[index];
    auto const at = std::ranges::lower_bound(chunk, sequence, {}, &Record::sequence);
    return at == chunk.end() || at->sequence != sequence ? nullptr : &*at;
}

} // namespace cpm::sim
