#include "tests/sim/guards.hpp"

#include "tests/sim/journal.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace cpm::sim {

using core::HeartbeatStatus;
using core::PowerStatus;

void Guards::enter(core::Event const& event, bool promised) {
    auto const& payload = event.payload;
    if (auto const* changed = std::get_if<core::SettingsChanged>(&payload)) {
        for (auto const& [name, value] : changed->changes) {
            if (name != "min_on")
                continue;
            auto const tags = boost::json::parse(value).as_object();
            least_.clear();
            for (auto const& [tag, least] : tags)
                least_[tag] = least.to_number<std::uint32_t>();
        }
        return;
    }
    if (!event.server)
        return;
    auto& server = servers_[event.server];
    if (auto const* added = std::get_if<core::ServerAdded>(&payload))
        server.tags = added->config.tags;
    else if (auto const* updated = std::get_if<core::ServerUpdated>(&payload))
        server.tags = updated->config.tags;
    else if (std::holds_alternative<core::HeartbeatReceived>(payload))
        server.reporting = true;
    else if (std::holds_alternative<core::HeartbeatLost>(payload))
        server.reporting = false;
    else if (std::holds_alternative<core::PowerAdopted>(payload)) {
        server.wanted_on = true;
    } else if (auto const* made = std::get_if<core::PowerRequested>(&payload)) {
        if (!promised)
            unpromised_.insert(event.sequence);
        enter(server, *made);
    } else if (auto const* back = std::get_if<core::PowerWithdrawn>(&payload)) {
        unpromised_.erase(back->request);
        server.wanted_on = back->power == PowerStatus::On;
        server.reporting = back->current != HeartbeatStatus::None;
    } else if (auto const* order = std::get_if<core::OrderSent>(&payload)) {
        // One that the failed sync left, too, was given to nobody.
        if (promised && unpromised_.contains(order->request))
            violated(
                Invariant::NoOffWithoutRequest,
                fmt::format("an order for request {}, whose sync had failed", order->request.value)
            );
    }
}

void Guards::enter(Server& server, core::PowerRequested const& made) {
    bool const takes_away = server.wanted_on || server.reporting;
    server.wanted_on = made.target == PowerStatus::On;
    if (made.target == PowerStatus::Off && takes_away)
        check_least(server);
}

/// After this server is no longer wanted ON.
void Guards::check_least(Server const& server) const {
    for (auto const& tag : server.tags) {
        auto const least = least_.find(tag);
        if (least == least_.end())
            continue;
        auto const left = std::ranges::count_if(servers_, [&](auto const& other) {
            return other.second.wanted_on && std::ranges::count(other.second.tags, tag) > 0;
        });
        if (left < least->second)
            violated(
                Invariant::GuardsHold,
                fmt::format("{} of the tag {} are left, of {}", left, tag, least->second)
            );
    }
}

} // namespace cpm::sim
