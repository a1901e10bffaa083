// cpm-replay diff: what differs between two moments of a log, or between two logs.
#include "eventstore/hash.hpp"
#include "projections/event_json.hpp"
#include "projections/event_text.hpp"
#include "projections/json_parts.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/fold.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/server_changes.hpp"
#include "tools/cpm-replay/text_width.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <map>

namespace cpm::replay {
namespace {

using eventstore::EventReader;

struct ServerDifference {
    core::ServerId id; ///< none: the fleet's own settings
    std::string name;
    std::vector<Change> changes;
};

std::vector<ServerDifference> differences(core::Fleet const& before, core::Fleet const& after) {
    std::vector<ServerDifference> all;
    if (auto changes = changes_between(before, after); !changes.empty())
        all.push_back({{}, "", std::move(changes)});
    std::map<std::pair<std::string, core::ServerId>, int> servers;
    for (auto const* fleet : {&before, &after})
        for (auto const& [id, server] : fleet->servers)
            if (auto const* present = after.find(id); fleet == &after || !present)
                servers[{server.config.name, id}] = 0;
    for (auto const& [key, unused] : servers) {
        auto const& [name, id] = key;
        auto const* was = before.find(id);
        auto const* is = after.find(id);
        auto changes = changes_between(was, is, Detail::NotRoutine);
        if (!was || !is)
            changes.insert(changes.begin(), {"server", was ? "there" : "", is ? "there" : ""});
        if (!changes.empty())
            all.push_back({id, name, std::move(changes)});
    }
    return all;
}

std::string shown(std::string const& value) {
    return value.empty() ? "-" : value;
}

bool print_table(std::vector<ServerDifference> const& all, Screen screen) {
    Table table({"SERVER", "FIELD", "BEFORE", "AFTER"}, screen);
    for (auto const& one : all)
        for (auto const& change : one.changes)
            table.row(
                {{one.id ? one.name : "(settings)"},
                 {change.field},
                 {shown(change.before)},
                 {shown(change.after)}}
            );
    return table.flush();
}

boost::json::object to_json(ServerDifference const& one, Change const& change) {
    return {
        {"server_id", projections::text_or_null(one.id ? to_string(one.id) : "")},
        {"server", projections::text_or_null(one.name)},
        {"field", change.field},
        {"before", projections::text_or_null(change.before)},
        {"after", projections::text_or_null(change.after)},
    };
}

boost::json::array to_json(std::vector<ServerDifference> const& all) {
    boost::json::array rows;
    for (auto const& one : all)
        for (auto const& change : one.changes)
            rows.push_back(to_json(one, change));
    return rows;
}

std::string title_of(Then const& then) {
    return then.sequence
               ? fmt::format("event {} of {}", then.sequence.value, core::to_rfc3339(then.now))
               : std::string("before the first event");
}

boost::json::object to_json(Then const& then) {
    return {{"sequence", then.sequence.value}, {"at", core::to_rfc3339(then.now)}};
}

void print_rows(boost::json::array const& rows) {
    for (auto const& row : rows)
        write(boost::json::serialize(row) + '\n');
}

// --- two logs

/// The newest record at or before a sequence (compacted heartbeats have none).
core::Result<eventstore::Head> record_before(EventReader const& log, core::Sequence sequence) {
    eventstore::Head found;
    auto const done = log.read_back({1}, sequence, [&](eventstore::StoredEvent const& stored) {
        found.sequence = stored.event.sequence;
        found.hash = stored.hash;
        return false;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    return found;
}

/// Whether both logs are the same up to this sequence: then both have the same last record there,
/// because each carries the hash of the one before.
core::Result<bool>
is_same_up_to(EventReader const& first, EventReader const& second, core::Sequence sequence) {
    while (sequence) {
        auto const one = record_before(first, sequence);
        auto const other = record_before(second, sequence);
        if (!one || !other)
            return tl::make_unexpected(one ? other.error() : one.error());
        if (one->sequence == other->sequence)
            return one->hash == other->hash;
        sequence = std::min(one->sequence, other->sequence);
    }
    return true;
}

core::Result<core::Sequence> last_common(EventReader const& first, EventReader const& second) {
    std::uint64_t low = 0; // they are the same up to here
    auto high = std::min(first.head().sequence, second.head().sequence).value;
    while (low < high) {
        auto const middle = low + (high - low + 1) / 2;
        auto const same = is_same_up_to(first, second, {middle});
        if (!same)
            return tl::make_unexpected(same.error());
        if (*same)
            low = middle;
        else
            high = middle - 1;
    }
    return core::Sequence{low};
}

constexpr std::size_t kFirstOfEach = 5;

/// What one log has behind the common part.
struct Rest {
    std::uint64_t count = 0;              ///< of its events; compacted ones are none any more
    boost::json::array events;            ///< the first few
    std::vector<std::vector<Cell>> cells; ///< the same as rows
};

core::Result<Rest> rest_of(EventReader const& log, core::Sequence common) {
    Rest rest;
    auto const done = walk(
        log,
        common.next(),
        log.head().sequence,
        true,
        [&](eventstore::StoredEvent const& stored) {
            if (++rest.count > kFirstOfEach)
                return true;
            auto const& event = stored.event;
            rest.events.push_back(projections::to_json(event, stored.hash));
            rest.cells.push_back(
                {{std::to_string(event.sequence.value)},
                 {core::to_rfc3339(event.at)},
                 {std::string(type_name(event.payload))},
                 {projections::to_text(event.actor)},
                 event.actual ? status_cell(*event.actual) : Cell{},
                 {projections::summarize(event.payload)}}
            );
            return true;
        }
    );
    if (!done)
        return tl::make_unexpected(done.error());
    return rest;
}

void print_rest(std::string const& name, Rest const& rest, Screen screen) {
    if (rest.count == 0)
        return;
    write(fmt::format(
        "\n{} has {} more{}:\n",
        printable(name),
        rest.count,
        rest.count > kFirstOfEach ? fmt::format(", first {}", kFirstOfEach) : ""
    ));
    Table table({"SEQUENCE", "TIME", "TYPE", "ACTOR", "STATUS", "SUMMARY"}, screen);
    for (auto const& cells : rest.cells)
        table.row(cells);
    table.flush();
}

} // namespace

Outcome diff_moments(EventReader const& log, Options const& options) {
    for (auto const& at : options.moments)
        if (auto const fine = check_moment(log, at); !fine)
            return tl::make_unexpected(fine.error());
    auto const before = fold_to(log, options.moments[0]);
    if (!before)
        return tl::make_unexpected(before.error());
    auto const after = fold_to(log, options.moments[1]);
    if (!after)
        return tl::make_unexpected(after.error());
    if (stop_requested())
        return kFine;
    auto const all = differences(before->fleet, after->fleet);
    if (options.output == Output::Ndjson)
        print_rows(to_json(all));
    else if (options.output == Output::Json)
        write(
            boost::json::serialize(boost::json::object{
                {"before", to_json(*before)}, {"after", to_json(*after)}, {"changes", to_json(all)}}
            ) +
            '\n'
        );
    else {
        write(fmt::format("before: {}\nafter:  {}\n", title_of(*before), title_of(*after)));
        if (all.empty())
            write("nothing differs (but reports and their times)\n");
        else
            print_table(all, standard_output(options.no_color));
    }
    return all.empty() ? kFine : kFinding;
}

Outcome diff_logs(EventReader const& first, EventReader const& second, Options const& options) {
    auto const common = last_common(first, second);
    if (!common)
        return tl::make_unexpected(common.error());
    auto const first_rest = rest_of(first, *common);
    auto const second_rest = rest_of(second, *common);
    if (!first_rest || !second_rest)
        return tl::make_unexpected(first_rest ? second_rest.error() : first_rest.error());
    auto const before = fold_to(first, std::nullopt);
    auto const after = fold_to(second, std::nullopt);
    if (!before || !after)
        return tl::make_unexpected(before ? after.error() : before.error());
    if (stop_requested())
        return kFine;

    auto const all = differences(before->fleet, after->fleet);
    bool const is_same = first_rest->count == 0 && second_rest->count == 0;
    if (options.output == Output::Ndjson)
        print_rows(to_json(all));
    else if (options.output == Output::Json)
        write(
            boost::json::serialize(boost::json::object{
                {"common", common->value},
                {"first",
                 boost::json::object{{"events", first_rest->count}, {"next", first_rest->events}}},
                {"second",
                 boost::json::object{
                     {"events", second_rest->count}, {"next", second_rest->events}}},
                {"changes", to_json(all)}}) +
            '\n'
        );
    else {
        auto const screen = standard_output(options.no_color);
        write(
            *common ? fmt::format("the same up to event {}\n", common->value)
                    : std::string("nothing is the same\n")
        );
        print_rest(options.logs[0], *first_rest, screen);
        print_rest(options.logs[1], *second_rest, screen);
        if (!all.empty())
            write("\n");
        if (!all.empty())
            print_table(all, screen);
    }
    return is_same ? kFine : kFinding;
}

} // namespace cpm::replay
