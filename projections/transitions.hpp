#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "projections/explanation.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cpm::projections {

/// One event of the decision that made a transition.
struct TransitionCause {
    core::Sequence sequence;
    std::string_view type; ///< "PowerRequested"; lives as long as the program
    bool operator==(TransitionCause const&) const = default;
};

/// A server's status became another.
struct Transition {
    core::Sequence decision; ///< the first event of the decision that did it
    core::WallTime at;
    core::ServerId server;
    std::optional<core::ActualStatus> from; ///< none: the server was just added
    core::ActualStatus to{};
    Reason reason;                       ///< why it is `to`
    core::Actor actor;                   ///< who caused the decision
    core::Sequence led_by;               ///< the event that led to the decision, or none
    std::vector<TransitionCause> causes; ///< the decision's events, in order
    bool operator==(Transition const&) const = default;
};

/// Folds decisions into transitions. A decision is one step whatever it passes through (status
/// model 1.4), and concerns one server or none.
///
/// Operation: apply the decisions in order, from the first of the log, each with the fleet as it
/// is after all of its events.
///
/// Limitations: keeps one status a server, no history.
class TransitionFolder {
  public:
    /// The transition this decision made, if any. A server that is added has one, from none to
    /// Unknown; one that is removed has none.
    std::optional<Transition>
    apply_decision(std::span<core::Event const> decision, core::Fleet const& after);

  private:
    std::unordered_map<core::ServerId, core::ActualStatus> last_;
};

} // namespace cpm::projections
