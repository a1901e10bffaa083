#include "tools/cpm-replay/range_check.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::replay {

core::Result<void> RangeCheck::add(core::Event const& event) {
    auto const* range = std::get_if<core::HeartbeatsCompacted>(&event.payload);
    if (!range)
        return {};
    auto const wrong = [&](std::string text) {
        found_({Check::Range, event.sequence, event.sequence, std::move(text)});
        return core::Result<void>();
    };
    auto const behind = named_.empty() ? core::Sequence{} : named_.back().last;
    if (range->first <= behind || range->last < range->first || range->last >= event.sequence)
        return wrong(fmt::format(
            "it names events {} to {} as compacted away, which is no range, or not one behind "
            "those before",
            range->first.value,
            range->last.value
        ));
    named_.push_back({range->first, range->last, event.sequence});
    if (range->count != range->last.value - range->first.value + 1)
        return wrong(fmt::format(
            "it says that {} heartbeats were compacted away, and names events {} to {}",
            range->count,
            range->first.value,
            range->last.value
        ));
    return check_edges(event);
}

/// The hashes of what was deleted were compared with those around it by reading; of a range that is
/// still there, they are compared here.
core::Result<void> RangeCheck::check_edges(core::Event const& event) {
    auto const& range = std::get<core::HeartbeatsCompacted>(event.payload);
    auto const compare = [&](core::Sequence sequence, core::Hash const& hash) {
        auto const is = log_.hash_of(sequence);
        // A record that is damaged was told already, and one that was deleted has none.
        if (!is && is.error().code != core::ErrorCode::Corrupt)
            return core::Result<void>(tl::make_unexpected(is.error()));
        if (is && *is != hash)
            found_(
                {Check::Range,
                 event.sequence,
                 event.sequence,
                 fmt::format("it has another hash of event {}", sequence.value)}
            );
        return core::Result<void>();
    };
    if (auto const done = compare({range.first.value - 1}, range.prev_hash); !done)
        return done;
    return compare(range.last, range.last_hash);
}

void RangeCheck::gap(core::Sequence first, core::Sequence last) {
    gaps_.push_back({first, last});
    removed_ += last.value - first.value + 1;
}

core::Result<void> RangeCheck::end() {
    for (auto const& gap : gaps_)
        for (auto at = gap.first; at <= gap.last;) {
            auto const behind = std::ranges::upper_bound(named_, at, {}, &Named::first);
            bool const is_named = behind != named_.begin() && at <= std::prev(behind)->last;
            if (!is_named) {
                found_({Check::Range, at, gap.last, "no event says that it was compacted away"});
                break;
            }
            at = std::prev(behind)->last.next();
        }
    return check_index();
}

core::Result<void> RangeCheck::check_index() {
    auto named = named_.begin();
    bool is_same = true;
    auto const read = log_.read_ranges([&](core::Sequence first, core::Sequence event) {
        if (event > log_.head().sequence) // appended while the log was read
            return;
        is_same =
            is_same && named != named_.end() && named->first == first && named->event == event;
        named += is_same ? 1 : 0;
    });
    if (!read && read.error().code != core::ErrorCode::Corrupt)
        return read;
    if (!read || !is_same || named != named_.end())
        found_(
            {Check::Index,
             {},
             {},
             "the index of what was compacted away is not what the events say: what lies behind it "
             "may not be found"}
        );
    return {};
}

} // namespace cpm::replay
