#pragma once

#include "eventstore/rocksdb_reader.hpp"
#include "tools/cpm-replay/fault.hpp"

#include <cstdint>
#include <vector>

namespace cpm::replay {

/// Checks what was compacted away (event log 2.3): each number that has no record lies in a range
/// that an event names, and each range holds so many heartbeats as it says, between the records it
/// says, whether they are deleted already or not.
///
/// Operation: fed with the events in order, and with the gaps between them as they are met.
class RangeCheck {
  public:
    RangeCheck(eventstore::RocksDbReader const& log, FaultSink found)
        : log_(log)
        , found_(std::move(found)) {}

    /// An event that was read. Fails with Storage only.
    core::Result<void> add(core::Event const& event);
    /// There are no records from `first` to `last`, and the chain goes on behind them.
    void gap(core::Sequence first, core::Sequence last);
    /// After the last event. Fails with Storage only.
    core::Result<void> end();

    /// How many numbers have no record because of a range.
    std::uint64_t removed() const { return removed_; }

  private:
    struct Gap {
        core::Sequence first;
        core::Sequence last;
    };
    core::Result<void> check_edges(core::Event const& event);
    core::Result<void> check_index();

    eventstore::RocksDbReader const& log_;
    FaultSink found_;
    std::vector<Gap> gaps_;
    struct Named {
        core::Sequence first;
        core::Sequence last;
        core::Sequence event;
    };
    std::vector<Named> named_; ///< ascending
    std::uint64_t removed_ = 0;
};

} // namespace cpm::replay
