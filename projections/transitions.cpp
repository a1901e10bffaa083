#include "projections/transitions.hpp"

namespace cpm::projections {

std::optional<Transition>
TransitionFolder::apply_decision(std::span<core::Event const> decision, core::Fleet const& after) {
    if (decision.empty() || !decision.front().server)
        return std::nullopt;
    auto const& first = decision.front();
    auto const* const server = after.find(first.server);
    if (!server) { // removed, or an event about one that was removed before
        last_.erase(first.server);
        return std::nullopt;
    }

    auto const to = server->state.actual;
    auto const known = last_.find(first.server);
    std::optional<core::ActualStatus> from;
    if (known != last_.end())
        from = known->second;
    if (from == to)
        return std::nullopt;
    last_[first.server] = to;

    Transition transition{
        .decision = first.decision,
        .at = first.at,
        .server = first.server,
        .from = from,
        .to = to,
        .reason = explain(*server, after.settings),
        .actor = first.actor,
        .led_by = first.cause,
        .causes = {},
    };
    for (auto const& event : decision)
        transition.causes.push_back({event.sequence, core::type_name(event.payload)});
    return transition;
}

} // namespace cpm::projections
