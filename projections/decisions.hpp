#pragma once

#include "core/event.hpp"

#include <span>
#include <utility>
#include <vector>

namespace cpm::projections {

/// Groups a stream of events into decisions: transitions, notifications and the stream count
/// decisions, so that no status in between is ever shown (status model 1.4).
///
/// Operation: feed it the events in ascending order. A decision is complete when an event of
/// another one comes, or when flush() says that none is to come: then `decided(events)` is called
/// with all of its events, in order. So whoever reads a log to its end calls flush() there, and
/// whoever hears whole batches calls it after each.
///
/// Ownership: the span is valid during the call only.
template <typename Decided>
class DecisionReader {
  public:
    explicit DecisionReader(Decided decided)
        : decided_(std::move(decided)) {}

    void add(core::Event event) {
        if (!events_.empty() && events_.front().decision != event.decision)
            flush();
        events_.push_back(std::move(event));
    }

    void flush() {
        if (events_.empty())
            return;
        decided_(std::span<core::Event const>(events_));
        events_.clear();
    }

  private:
    Decided decided_;
    std::vector<core::Event> events_;
};

} // namespace cpm::projections
