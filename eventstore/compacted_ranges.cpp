#include "eventstore/compacted_ranges.hpp"

namespace cpm::eventstore {

std::optional<Resumed>
CompactedRanges::step_over(core::Sequence next, core::Hash const& previous) const {
    Resumed at{next, previous};
    for (auto range = ranges_.find(next); range != ranges_.end(); range = ranges_.find(at.next)) {
        if (range->second.prev_hash != at.previous)
            return std::nullopt;
        at = {range->second.last.next(), range->second.last_hash};
    }
    return at.next == next ? std::nullopt : std::optional(at);
}

core::HeartbeatsCompacted const* CompactedRanges::find(core::Sequence sequence) const {
    auto after = ranges_.upper_bound(sequence);
    if (after == ranges_.begin())
        return nullptr;
    auto const& range = std::prev(after)->second;
    return sequence <= range.last ? &range : nullptr;
}

} // namespace cpm::eventstore
