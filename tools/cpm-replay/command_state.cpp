// cpm-replay state: the server table at one moment.
#include "core/evolve.hpp"
#include "core/status_table.hpp"
#include "projections/server_json.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace cpm::replay {
namespace {

/// The fold of the log up to a moment.
struct Then {
    core::Fleet fleet;
    core::Sequence sequence; ///< the last event in it
    core::Sequence decision; ///< that event's
    core::WallTime now{};    ///< from which open standby times are counted
};

bool is_later(core::Event const& event, Moment const& moment) {
    if (auto const* sequence = std::get_if<core::Sequence>(&moment))
        return event.sequence > *sequence;
    return event.at > std::get<core::WallTime>(moment);
}

core::Result<Then> fold(eventstore::EventReader const& log, std::optional<Moment> const& at) {
    Then then;
    auto const done = walk(log, {1}, log.head().sequence, true, [&](auto const& stored) {
        auto const& event = stored.event;
        if (at && is_later(event, *at) && event.decision != then.decision)
            return false;
        evolve(then.fleet, event);
        then.sequence = event.sequence;
        then.decision = event.decision;
        then.now = event.at;
        return true;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    if (auto const* time = at ? std::get_if<core::WallTime>(&*at) : nullptr)
        then.now = *time;
    return then;
}

core::milliseconds remaining(core::Server const& server, core::WallTime now) {
    if (!standby_is_open(server.state))
        return {};
    auto const left =
        std::chrono::floor<core::milliseconds>(server.requested_at + server.standby - now);
    return std::clamp(left, core::milliseconds(0), core::milliseconds(server.standby));
}

std::vector<core::Server const*> by_name(core::Fleet const& fleet) {
    std::vector<core::Server const*> servers;
    for (auto const& [id, server] : fleet.servers)
        servers.push_back(&server);
    std::ranges::sort(servers, {}, [](core::Server const* server) { return server->config.name; });
    return servers;
}

/// To the second: a terminal is narrow, and JSON has the rest.
std::string short_time(core::WallTime time) {
    return core::to_rfc3339(time).substr(0, std::string_view("2026-11-21T09:00:00").size()) + "Z";
}

void print_table(Then const& then, Screen screen) {
    // What a narrow terminal shows last is what the others say as well.
    Table table(
        {"NAME", "STATUS", "RULE", "SINCE", "POWER", "PREVIOUS/CURRENT", "LAST HEARTBEAT"}, screen
    );
    for (auto const* server : by_name(then.fleet)) {
        auto const& state = server->state;
        auto const& heartbeat = server->last_heartbeat_at;
        table.row({
            {server->config.name},
            status_cell(state.actual),
            {std::string(classify(state).rule)},
            {short_time(server->changed_at)},
            {std::string(to_string(state.power))},
            {fmt::format("{}/{}", to_string(state.previous), to_string(state.current))},
            {heartbeat ? short_time(*heartbeat) : "never"},
        });
    }
    table.flush();
    auto const count = then.fleet.servers.size();
    auto const servers = fmt::format("{} {}", count, count == 1 ? "server" : "servers");
    write(
        then.sequence ? fmt::format(
                            "{} after event {}, {}\n",
                            servers,
                            then.sequence.value,
                            core::to_rfc3339(then.now)
                        )
                      : servers + " before the first event\n"
    );
}

void print_json(Then const& then, Output output) {
    boost::json::array servers;
    for (auto const* server : by_name(then.fleet)) {
        auto object = projections::to_json(
            *server, then.fleet.settings, remaining(*server, then.now), then.now
        );
        if (output == Output::Ndjson)
            write(boost::json::serialize(object) + '\n');
        else
            servers.push_back(std::move(object));
    }
    if (output == Output::Ndjson)
        return;
    boost::json::object const state{
        {"sequence", then.sequence.value},
        {"at", core::to_rfc3339(then.now)},
        {"servers", std::move(servers)},
    };
    write(boost::json::serialize(state) + '\n');
}

} // namespace

Outcome show_state(eventstore::EventReader const& log, Options const& options) {
    auto const head = log.head().sequence;
    auto const* sequence = options.at ? std::get_if<core::Sequence>(&*options.at) : nullptr;
    if (sequence && *sequence > head)
        return core::fail(
            core::ErrorCode::NotFound,
            fmt::format("--at {}: the log ends at event {}", sequence->value, head.value)
        );
    auto const then = fold(log, options.at);
    if (!then)
        return tl::make_unexpected(then.error());
    if (stop_requested())
        return kFine;
    if (options.output == Output::Table)
        print_table(*then, standard_output(options.no_color));
    else
        print_json(*then, options.output);
    return kFine;
}

} // namespace cpm::replay
