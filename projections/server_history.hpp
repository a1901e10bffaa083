#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "projections/decisions.hpp"
#include "projections/transitions.hpp"

#include <cstddef>
#include <deque>
#include <span>

namespace cpm::projections {

/// Whether an event that names no server bears on the statuses of all, or on how they are
/// explained: what the process did, and settings.
bool concerns_all_servers(core::Event const& event);

/// The transitions of one server, from its own events and those that concern all: the rest of the
/// log need not be read.
///
/// Operation: feed it these events in ascending order, from the server's first; end() says that
/// none is to come. It keeps the last `capacity` transitions.
class ServerHistory {
  public:
    explicit ServerHistory(std::size_t capacity);

    void add(core::Event event) { decisions_.add(std::move(event)); }
    void end() { decisions_.flush(); }

    /// Oldest first.
    std::deque<Transition> const& transitions() const { return transitions_; }

  private:
    void apply(std::span<core::Event const> decision);

    struct Apply {
        ServerHistory* history;
        void operator()(std::span<core::Event const> decision) const { history->apply(decision); }
    };

    std::size_t capacity_;
    core::Fleet fleet_; ///< the one server, and the settings
    TransitionFolder folder_;
    std::deque<Transition> transitions_;
    DecisionReader<Apply> decisions_;
};

} // namespace cpm::projections
