#pragma once

#include "core/fleet.hpp"
#include "projections/decisions.hpp"
#include "tools/cpm-replay/fault.hpp"

#include <functional>
#include <span>
#include <unordered_set>

namespace cpm::replay {

/// Recomputes the statuses from the events and compares them with the recorded ones.
///
/// Operation: fed with the events in order; a decision is judged when it is whole. What follows a
/// lost record may disagree for that reason alone: from there on a server that disagrees is told
/// once, until it agrees again.
class StatusCheck {
  public:
    explicit StatusCheck(FaultSink found);

    void add(core::Event const& event) { reader_.add(event); }
    /// A record in between could not be read.
    void lost(core::Sequence sequence);
    void end() { reader_.flush(); }

    core::Fleet const& fleet() const { return fleet_; }
    std::uint64_t decisions() const { return decisions_; }

  private:
    void judge(std::span<core::Event const> decision);
    void compare(core::Event const& event);

    FaultSink found_;
    projections::DecisionReader<std::function<void(std::span<core::Event const>)>> reader_;
    core::Fleet fleet_;
    core::Sequence lost_;                     ///< the first record that was lost, or none
    core::Sequence judged_;                   ///< the last event judged
    std::unordered_set<core::ServerId> told_; ///< disagree since a loss
    std::uint64_t decisions_ = 0;
};

} // namespace cpm::replay
