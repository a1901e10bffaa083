#pragma once

#include "core/event.hpp"
#include "core/hash.hpp"

#include <map>
#include <optional>

namespace cpm::eventstore {

/// Where a log's chain goes on behind records that were compacted away (event log 2.3).
struct Resumed {
    core::Sequence next; ///< the first number behind them
    core::Hash previous; ///< the hash of the last of them
};

/// The ranges that HeartbeatsCompacted events of a log name. Every number of a log is a record or
/// lies in one of them.
class CompactedRanges {
  public:
    void add(core::HeartbeatsCompacted const& range) { ranges_[range.first] = range; }

    /// Steps over the ranges that begin at `next`, one after the other, to `until` or behind it;
    /// `previous` is the hash of the record before. None when no range begins there, or one follows
    /// another record.
    std::optional<Resumed>
    step_over(core::Sequence next, core::Hash const& previous, core::Sequence until) const;

    /// The range that holds this number, or null.
    core::HeartbeatsCompacted const* find(core::Sequence sequence) const;

    /// The first range that begins behind this number, or null.
    core::HeartbeatsCompacted const* after(core::Sequence sequence) const;

    /// The last number of all, or none.
    core::Sequence last() const {
        return ranges_.empty() ? core::Sequence{} : ranges_.rbegin()->second.last;
    }

    bool empty() const { return ranges_.empty(); }

  private:
    std::map<core::Sequence, core::HeartbeatsCompacted> ranges_; ///< by `first`
};

} // namespace cpm::eventstore
