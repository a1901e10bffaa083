// cpm-replay explain: one status in words: the inputs, the row, pending deadlines, the last events.
#include "core/status_table.hpp"
#include "projections/event_json.hpp"
#include "projections/event_text.hpp"
#include "projections/explanation.hpp"
#include "projections/explanation_json.hpp"
#include "projections/json_parts.hpp"
#include "projections/server_json.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/fold.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/names.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/server_walk.hpp"
#include "tools/cpm-replay/text_width.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <deque>

namespace cpm::replay {
namespace {

constexpr std::size_t kLastEvents = 10;

struct Shown {
    core::Event event;
    core::Hash hash{};
};

/// The fold as far as one server is concerned, and its last events.
struct ServerThen {
    Then then;
    std::deque<Shown> last;
};

core::Result<ServerThen> fold_server(
    eventstore::EventReader const& log, core::ServerId id, std::optional<Moment> const& at
) {
    ServerThen one;
    auto const visit = [&](eventstore::StoredEvent const& stored) {
        auto const& event = stored.event;
        if (one.then.is_behind(event, at))
            return false;
        one.then.take(event);
        if (event.server != id)
            return true;
        if (one.last.size() == kLastEvents)
            one.last.pop_front();
        one.last.push_back({event, stored.hash});
        return true;
    };
    auto const done = walk_servers(log, {kFleet, id}, {1}, log.head().sequence, visit);
    if (!done)
        return tl::make_unexpected(done.error());
    one.then.end(at);
    return one;
}

std::string words_of(core::Server const& server) {
    auto const& request = server.state.request;
    if (!request)
        return "none";
    return fmt::format(
        "{} asked by {} at {} (event {}); standby time {} s, {}; {}, {}, {}",
        to_string(request->target),
        projections::name_of(server.requested_by),
        core::to_rfc3339(server.requested_at),
        request->sequence.value,
        server.standby.count(),
        standby_is_open(server.state) ? "open" : "elapsed",
        request->ordered ? "ordered" : "not ordered",
        request->answered ? "answered" : "not answered",
        request->confirmed ? "confirmed" : "not confirmed"
    );
}

std::string boot_of(core::ServerState const& state) {
    if (!state.boot)
        return "none recorded";
    return fmt::format("{}, resumed {}x", to_string(state.boot->boot_id), state.boot->resume_count);
}

bool print_text(ServerThen const& one, core::Server const& server, Screen screen) {
    auto const& state = server.state;
    auto const reason = projections::explain(server, one.then.fleet.settings);
    write(fmt::format(
        "{} ({}) is {} by {}, after event {} of {}\n\n",
        printable(server.config.name),
        to_string(server.id),
        to_string(state.actual),
        reason.rule,
        one.then.sequence.value,
        core::to_rfc3339(one.then.now)
    ));
    for (auto const& line : wrap(printable(reason.text), screen.width))
        write(line + '\n');
    write("\n");

    Table inputs({"INPUT", "VALUE"}, screen);
    inputs.row({{"power"}, {std::string(to_string(state.power))}});
    inputs.row({{"previous"}, {std::string(to_string(state.previous))}});
    inputs.row({{"current"}, {std::string(to_string(state.current))}});
    inputs.row({{"request"}, {words_of(server)}});
    inputs.row({{"boot"}, {boot_of(state)}});
    inputs.row({{"blocked by"}, {state.blocked_by.empty() ? "nothing" : state.blocked_by}});
    inputs.row({{"adopted"}, {state.adopted ? "yes" : "no"}});
    inputs.row({{"set aside"}, {state.set_aside ? "yes" : "no"}});
    inputs.row({{"manifest"}, {"says " + std::string(to_string(manifest_power(state)))}});
    inputs.flush();
    write("\n");

    auto const pending = projections::pending_of(server);
    Table deadlines({"PENDING", "AT", "WHAT THEN"}, screen);
    for (auto const& one_pending : pending)
        deadlines.row(
            {{std::string(one_pending.kind)},
             {core::to_rfc3339(one_pending.at)},
             {one_pending.text}}
        );
    if (pending.empty())
        write("No deadline is pending.\n");
    else
        deadlines.flush();
    write("\n");

    Table events({"SEQUENCE", "TIME", "TYPE", "ACTOR", "STATUS", "SUMMARY"}, screen);
    for (auto const& [event, hash] : one.last)
        events.row(
            {{std::to_string(event.sequence.value)},
             {core::to_rfc3339(event.at)},
             {std::string(type_name(event.payload))},
             {projections::to_text(event.actor)},
             event.actual ? status_cell(*event.actual) : Cell{},
             {projections::summarize(event.payload)}}
        );
    return events.flush();
}

void print_json(ServerThen const& one, core::Server const& server) {
    boost::json::array events;
    for (auto const& [event, hash] : one.last)
        events.push_back(projections::to_json(event, hash));
    auto const pending = projections::pending_of(server);
    auto const& then = one.then;
    boost::json::object const document{
        {"sequence", then.sequence.value},
        {"at", core::to_rfc3339(then.now)},
        {"server",
         projections::to_json(
             server, then.fleet.settings, standby_remaining(server, then.now), then.now
         )},
        {"inputs", projections::inputs_json(server)},
        {"pending", projections::to_json(pending)},
        {"events", std::move(events)}};
    write(boost::json::serialize(document) + '\n');
}

} // namespace

Outcome explain(eventstore::EventReader const& log, Options const& options) {
    if (auto const fine = check_moment(log, options.at); !fine)
        return tl::make_unexpected(fine.error());
    ServerChoice choice(options.servers);
    if (auto const resolved = choice.resolve(log); !resolved)
        return tl::make_unexpected(resolved.error());
    auto const id = choice.latest();
    auto const one = fold_server(log, id, options.at);
    if (!one)
        return tl::make_unexpected(one.error());
    if (stop_requested())
        return kFine;
    auto const* server = one->then.fleet.find(id);
    if (!server)
        return core::fail(
            core::ErrorCode::NotFound,
            fmt::format(
                "{} was not there after event {}: see cpm-replay log --server {}",
                options.servers.front(),
                one->then.sequence.value,
                to_string(id)
            )
        );
    note_compacted(log, one->then);
    if (options.output == Output::Table)
        print_text(*one, *server, standard_output(options.no_color));
    else
        print_json(*one, *server);
    return kFine;
}

} // namespace cpm::replay
