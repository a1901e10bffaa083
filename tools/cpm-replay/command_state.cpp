// cpm-replay state: the server table at one moment.
#include "core/status_table.hpp"
#include "projections/server_json.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/fold.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/text_width.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace cpm::replay {
namespace {

/// To the second: a terminal is narrow, and JSON has the rest.
std::string short_time(core::WallTime time) {
    return core::to_rfc3339(time).substr(0, std::string_view("2026-11-21T09:00:00").size()) + "Z";
}

void print_table(Then const& then, Screen screen) {
    // What a narrow terminal shows last is what the others say as well.
    Table table(
        {"NAME", "STATUS", "RULE", "SINCE", "POWER", "PREVIOUS/CURRENT", "LAST HEARTBEAT"},
        screen,
        Narrow::Cut
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
    auto const when =
        then.sequence
            ? fmt::format("after event {}, {}", then.sequence.value, core::to_rfc3339(then.now))
            : std::string("before the first event");
    for (auto const& line : wrap(servers + ' ' + when, screen.width))
        write(line + '\n');
}

void print_json(Then const& then, Output output) {
    boost::json::array servers;
    for (auto const* server : by_name(then.fleet)) {
        auto object = projections::to_json(
            *server, then.fleet.settings, standby_remaining(*server, then.now), then.now
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
    if (auto const fine = check_moment(log, options.at); !fine)
        return tl::make_unexpected(fine.error());
    auto const then = fold_to(log, options.at);
    if (!then)
        return tl::make_unexpected(then.error());
    if (stop_requested())
        return kFine;
    note_compacted(log, *then);
    if (options.output == Output::Table)
        print_table(*then, standard_output(options.no_color));
    else
        print_json(*then, options.output);
    return kFine;
}

} // namespace cpm::replay
