#include "projections/server_history.hpp"

#include "core/evolve.hpp"

#include <variant>

namespace cpm::projections {

bool concerns_all_servers(core::Event const& event) {
    return core::family_of(event.payload) == core::Family::Process ||
           std::holds_alternative<core::SettingsChanged>(event.payload);
}

ServerHistory::ServerHistory(std::size_t capacity)
    : capacity_(capacity)
    , decisions_(Apply{this}) {}

void ServerHistory::apply(std::span<core::Event const> decision) {
    for (auto const& event : decision)
        core::evolve(fleet_, event);
    auto transition = folder_.apply_decision(decision, fleet_);
    if (!transition)
        return;
    transitions_.push_back(std::move(*transition));
    if (transitions_.size() > capacity_)
        transitions_.pop_front();
}

} // namespace cpm::projections
