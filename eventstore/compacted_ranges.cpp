#include "eventstore/compacted_ranges.hpp"

namespace cpm::eventstore {

std::optional<Resumed> CompactedRanges::step_over(
    core::Sequence next, core::Hash const& previous, core::Sequence until
) const {
    Resumed at{next, previous};
    while (at.next < until) {
        auto const range = ranges_.find(at.next);
        if (range == ranges_.end() || range->second.prev_hash != at.previous)
            return std::nullopt;
        at = {range->second.last.next(), range->second.last_hash};
    }
    return at;
}

core::HeartbeatsCompacted const* CompactedRanges::find(core::Sequence sequence) const {
    auto after = ranges_.upper_bound(sequence);
    if (after == ranges_.begin())
        return nullptr;
    auto const& range = std::prev(after)->second;
    return sequence <= range.last ? &range : nullptr;
}

core::HeartbeatsCompacted const* CompactedRanges::after(core::Sequence sequence) const {
    auto const range = ranges_.upper_bound(sequence);
    return range == ranges_.end() ? nullptr : &range->second;
}

} // namespace cpm::eventstore
