#include "projections/server_json.hpp"

#include "projections/explanation.hpp"
#include "projections/json_parts.hpp"

#include <algorithm>

namespace cpm::projections {
namespace {

namespace json = boost::json;

json::value
standby_json(core::ServerState const& state, core::milliseconds remaining, core::WallTime now) {
    if (!core::standby_is_open(state))
        return nullptr;
    auto const left = std::max(remaining, core::milliseconds(0));
    return json::object{
        {"until", core::to_rfc3339(now + left)},
        {"remaining_seconds", std::chrono::ceil<core::seconds>(left).count()},
    };
}

json::object agent_json(core::Server const& server) {
    auto const& agent = server.agent;
    auto const& boot = server.state.boot;
    return {
        {"enrolled", agent.enrolled},
        {"version", text_or_null(agent.version)},
        {"hostname", text_or_null(agent.hostname)},
        {"boot_id", text_or_null(boot ? core::to_string(boot->boot_id) : "")},
        {"address", text_or_null(agent.address)},
    };
}

json::object reason_json(core::Server const& server, core::Settings const& settings) {
    auto const reason = explain(server, settings);
    return {{"rule", reason.rule}, {"text", reason.text}};
}

} // namespace

json::object to_json(
    core::Server const& server,
    core::Settings const& settings,
    core::milliseconds remaining,
    core::WallTime now
) {
    auto const& config = server.config;
    auto const& state = server.state;
    return {
        {"id", core::to_string(server.id)},
        {"name", config.name},
        {"mac_addresses", to_json(config.mac_addresses)},
        {"tags", to_json(config.tags)},
        {"note", config.note},
        {"power_status", core::to_string(state.power)},
        {"heartbeat_status",
         json::object{
             {"previous", core::to_string(state.previous)},
             {"current", core::to_string(state.current)}}},
        {"actual_status", core::to_string(state.actual)},
        {"display_status", core::display_name(state.actual)},
        {"reason", reason_json(server, settings)},
        {"standby", standby_json(state, remaining, now)},
        {"last_heartbeat_at", time_or_null(server.last_heartbeat_at)},
        {"heartbeat_interval_seconds", core::heartbeat_interval(config, settings).count()},
        {"missed_heartbeats", core::missed_heartbeats(config, settings)},
        {"standby_time_seconds", core::standby_time(config, settings).count()},
        {"wake", to_json(config.wake)},
        {"off_method", core::to_string(config.off_method)},
        {"protected", config.is_protected},
        {"allow_unsigned", config.allow_unsigned},
        {"set_aside", state.set_aside},
        {"blocked_by", text_or_null(state.blocked_by)},
        {"agent", agent_json(server)},
        {"changed_at", core::to_rfc3339(server.changed_at)},
        {"sequence", server.changed.value},
    };
}

json::object to_json(core::ServerConfig const& config) {
    json::value missed;
    if (config.missed_heartbeats)
        missed = *config.missed_heartbeats;
    return {
        {"name", config.name},
        {"mac_addresses", to_json(config.mac_addresses)},
        {"tags", to_json(config.tags)},
        {"note", config.note},
        {"heartbeat_interval_seconds", seconds_or_null(config.heartbeat_interval)},
        {"standby_time_seconds", seconds_or_null(config.standby_time)},
        {"missed_heartbeats", std::move(missed)},
        {"wake", to_json(config.wake)},
        {"off_method", core::to_string(config.off_method)},
        {"protected", config.is_protected},
        {"allow_unsigned", config.allow_unsigned},
    };
}

json::object to_json(core::WakeSettings const& wake) {
    return {
        {"broadcast_address", wake.broadcast_address},
        {"ports", json::array(wake.ports.begin(), wake.ports.end())},
        {"interface", wake.interface},
    };
}

} // namespace cpm::projections
