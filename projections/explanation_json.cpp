#include "projections/explanation_json.hpp"

#include "core/wake_pause.hpp"
#include "projections/json_parts.hpp"

#include <fmt/format.h>

namespace cpm::projections {
namespace {

namespace json = boost::json;

json::value request_json(core::Server const& server) {
    auto const& request = server.state.request;
    if (!request)
        return nullptr;
    return json::object{
        {"sequence", request->sequence.value},
        {"target", core::to_string(request->target)},
        {"standby", core::standby_is_open(server.state) ? "open" : "elapsed"},
        {"ordered", request->ordered},
        {"answered", request->answered},
        {"confirmed", request->confirmed},
        {"at", core::to_rfc3339(server.requested_at)},
        {"actor", to_json(server.requested_by)},
    };
}

} // namespace

std::vector<Pending> pending_of(core::Server const& server) {
    std::vector<Pending> pending;
    auto const& state = server.state;
    if (core::standby_is_open(state))
        pending.push_back(
            {"standby",
             server.requested_at + server.standby,
             state.request->sequence,
             "its standby time elapses; no further power request is accepted until then"}
        );
    if (state.current != core::HeartbeatStatus::None && server.last_heartbeat_at)
        pending.push_back(
            {"silence",
             *server.last_heartbeat_at + server.heartbeat_timeout,
             state.last_heartbeat,
             fmt::format(
                 "it counts as silent unless it reports ({} s)", server.heartbeat_timeout.count()
             )}
        );
    if (state.actual == core::ActualStatus::Starting && server.wakes.rounds > 0)
        pending.push_back(
            {"wake",
             server.wakes.last_at + core::wake_pause(server.wakes.rounds),
             state.request->sequence,
             "it is woken again unless it reports ON"}
        );
    return pending;
}

json::array to_json(std::vector<Pending> const& pending) {
    json::array all;
    for (auto const& one : pending)
        all.push_back(json::object{
            {"kind", one.kind},
            {"at", core::to_rfc3339(one.at)},
            {"about", one.about.value},
            {"text", one.text},
        });
    return all;
}

json::object inputs_json(core::Server const& server) {
    auto const& state = server.state;
    return {
        {"power", core::to_string(state.power)},
        {"previous", core::to_string(state.previous)},
        {"current", core::to_string(state.current)},
        {"request", request_json(server)},
        {"boot", to_json(state.boot)},
        {"blocked_by", text_or_null(state.blocked_by)},
        {"adopted", state.adopted},
        {"set_aside", state.set_aside},
        {"manifest", core::to_string(core::manifest_power(state))},
    };
}

json::object to_json(Transition const& transition) {
    json::array causes;
    for (auto const& cause : transition.causes)
        causes.push_back(json::object{{"sequence", cause.sequence.value}, {"type", cause.type}});
    return {
        {"sequence", transition.decision.value},
        {"at", core::to_rfc3339(transition.at)},
        {"server_id", core::to_string(transition.server)},
        {"from", text_or_null(transition.from ? core::to_string(*transition.from) : "")},
        {"to", core::to_string(transition.to)},
        {"reason",
         json::object{{"rule", transition.reason.rule}, {"text", transition.reason.text}}},
        {"actor", to_json(transition.actor)},
        {"cause", to_json(transition.led_by)},
        {"events", std::move(causes)},
    };
}

} // namespace cpm::projections
