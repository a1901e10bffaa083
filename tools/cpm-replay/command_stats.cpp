// cpm-replay stats: how much of what, heartbeat gaps, time in each status, slowest starts and
// stops.
#include "projections/json_parts.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/statistics.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace cpm::replay {
namespace {

using Family = core::Family;
using Figures = std::pair<std::string, ServerFigures const*>;

constexpr Family kFamilies[] = {
    Family::Fleet, Family::Power, Family::Heartbeats, Family::People, Family::Process};

/// The family of each type, by Payload index.
template <std::size_t... I>
std::vector<Family> families(std::index_sequence<I...>) {
    return {core::family_of(core::Payload(std::in_place_index<I>))...};
}

std::vector<Family> const& family_of_types() {
    static auto const all =
        families(std::make_index_sequence<std::variant_size_v<core::Payload>>());
    return all;
}

std::uint64_t count_of(Statistics const& statistics, Family family) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < statistics.by_type().size(); ++i)
        if (family_of_types()[i] == family)
            count += statistics.by_type()[i];
    return count;
}

std::uint64_t count_of(Statistics const& statistics) {
    auto const& by_type = statistics.by_type();
    return std::accumulate(by_type.begin(), by_type.end(), std::uint64_t(0));
}

std::vector<Figures> by_name(Statistics const& statistics) {
    std::vector<Figures> servers;
    for (auto const& [id, figures] : statistics.servers())
        servers.emplace_back(statistics.names().of(id), &figures);
    std::ranges::sort(servers);
    return servers;
}

double seconds(Microseconds time) {
    return double(time.count()) / 1e6;
}

/// "2 d 03:04:05", "00:00:12.3"
std::string text_of(Microseconds time) {
    auto const tenths = time.count() / 100'000;
    auto const clock = fmt::format(
        "{:02}:{:02}:{:02}.{}",
        tenths / 36'000 % 24,
        tenths / 600 % 60,
        tenths / 10 % 60,
        tenths % 10
    );
    auto const days = tenths / 864'000;
    return days > 0 ? fmt::format("{} d {}", days, clock.substr(0, 8)) : clock;
}

Microseconds mean_gap(ServerFigures const& figures) {
    return figures.gaps == 0 ? Microseconds(0) : figures.all_gaps / std::int64_t(figures.gaps);
}

// --- the table

void print_events(Statistics const& statistics, Screen screen) {
    Table table({"FAMILY", "TYPE", "EVENTS"}, screen);
    for (auto const family : kFamilies) {
        auto const count = count_of(statistics, family);
        if (count == 0)
            continue;
        table.row({{std::string(to_string(family))}, {"(all)"}, {std::to_string(count)}});
        for (std::size_t i = 0; i < statistics.by_type().size(); ++i)
            if (family_of_types()[i] == family && statistics.by_type()[i] > 0)
                table.row(
                    {{""},
                     {std::string(core::type_names()[i])},
                     {std::to_string(statistics.by_type()[i])}}
                );
    }
    table.flush();
}

void print_servers(std::vector<Figures> const& servers, Screen screen) {
    Table table(
        {"SERVER", "EVENTS", "HEARTBEATS", "LOST", "MEAN GAP", "LONGEST GAP", "WHICH BEGAN AT"},
        screen
    );
    for (auto const& [name, figures] : servers) {
        bool const has_gaps = figures->gaps > 0;
        table.row(
            {{name},
             {std::to_string(figures->events)},
             {std::to_string(figures->heartbeats)},
             {std::to_string(figures->losses)},
             {has_gaps ? text_of(mean_gap(*figures)) : "-"},
             {has_gaps ? text_of(figures->longest_gap) : "-"},
             {has_gaps ? core::to_rfc3339(figures->longest_gap_at) : "-"}}
        );
    }
    table.flush();
}

void print_statuses(std::vector<Figures> const& servers, Screen screen) {
    Table table({"SERVER", "STATUS", "TIME", "SHARE"}, screen);
    for (auto const& [name, figures] : servers) {
        Microseconds all{};
        for (auto const time : figures->in_status)
            all += time;
        for (std::size_t i = 0; i < figures->in_status.size(); ++i) {
            auto const time = figures->in_status[i];
            if (time.count() == 0)
                continue;
            auto const share = 100.0 * double(time.count()) / double(all.count());
            table.row(
                {{name},
                 status_cell(core::ActualStatus(i)),
                 {text_of(time)},
                 {fmt::format("{:.1f} %", share)}}
            );
        }
    }
    table.flush();
}

void print_slowest(
    std::string const& title,
    std::vector<SettlingTime> const& slowest,
    Statistics const& statistics,
    Screen screen
) {
    if (slowest.empty())
        return;
    write("\n");
    Table table({title, "TOOK", "ASKED AT", "REQUEST"}, screen);
    for (auto const& one : slowest)
        table.row(
            {{statistics.names().of(one.server)},
             {text_of(one.took)},
             {core::to_rfc3339(one.asked_at)},
             {std::to_string(one.request.value)}}
        );
    table.flush();
}

void print_table(Statistics const& statistics, Screen screen) {
    auto const count = count_of(statistics);
    write(
        count ? fmt::format(
                    "{} events from {} to {}\n",
                    count,
                    core::to_rfc3339(statistics.first_at()),
                    core::to_rfc3339(statistics.last_at())
                )
              : "no events\n"
    );
    if (statistics.compacted())
        write(fmt::format(
            "routine heartbeats are compacted up to event {}: neither they nor gaps are counted "
            "there\n",
            statistics.compacted().value
        ));
    write("\n");
    auto const servers = by_name(statistics);
    print_events(statistics, screen);
    write("\n");
    print_servers(servers, screen);
    write("\n");
    print_statuses(servers, screen);
    print_slowest("SLOWEST STARTS", statistics.slowest_starts(), statistics, screen);
    print_slowest("SLOWEST STOPS", statistics.slowest_stops(), statistics, screen);
}

// --- JSON

boost::json::object families_json(Statistics const& statistics) {
    boost::json::object families;
    for (auto const family : kFamilies) {
        boost::json::object types;
        for (std::size_t i = 0; i < statistics.by_type().size(); ++i)
            if (family_of_types()[i] == family && statistics.by_type()[i] > 0)
                types[core::type_names()[i]] = statistics.by_type()[i];
        families[to_string(family)] = boost::json::object{
            {"events", count_of(statistics, family)}, {"types", std::move(types)}};
    }
    return families;
}

boost::json::object server_json(Figures const& server) {
    auto const& [name, figures] = server;
    boost::json::object statuses;
    for (std::size_t i = 0; i < figures->in_status.size(); ++i)
        if (figures->in_status[i].count() > 0)
            statuses[to_string(core::ActualStatus(i))] = seconds(figures->in_status[i]);
    boost::json::value gaps;
    if (figures->gaps > 0)
        gaps = boost::json::object{
            {"count", figures->gaps},
            {"mean_seconds", seconds(mean_gap(*figures))},
            {"longest_seconds", seconds(figures->longest_gap)},
            {"longest_at", core::to_rfc3339(figures->longest_gap_at)}};
    return {
        {"server", name},
        {"events", figures->events},
        {"heartbeats", figures->heartbeats},
        {"lost", figures->losses},
        {"gaps", std::move(gaps)},
        {"seconds_in_status", std::move(statuses)},
    };
}

boost::json::array
slowest_json(std::vector<SettlingTime> const& slowest, Statistics const& statistics) {
    boost::json::array rows;
    for (auto const& one : slowest)
        rows.push_back(boost::json::object{
            {"server", statistics.names().of(one.server)},
            {"seconds", seconds(one.took)},
            {"at", core::to_rfc3339(one.asked_at)},
            {"request", one.request.value}});
    return rows;
}

void print_json(Statistics const& statistics, Output output) {
    boost::json::array servers;
    for (auto const& server : by_name(statistics))
        if (output == Output::Ndjson)
            write(boost::json::serialize(server_json(server)) + '\n');
        else
            servers.push_back(server_json(server));
    boost::json::object document{
        {"events", count_of(statistics)},
        {"compacted_until", projections::to_json(statistics.compacted())},
        {"families", families_json(statistics)},
        {"slowest_starts", slowest_json(statistics.slowest_starts(), statistics)},
        {"slowest_stops", slowest_json(statistics.slowest_stops(), statistics)}};
    if (output == Output::Json)
        document["servers"] = std::move(servers);
    write(boost::json::serialize(document) + '\n');
}

} // namespace

Outcome show_stats(eventstore::EventReader const& log, Options const& options) {
    auto const compacted = log.compacted_until();
    if (!compacted)
        return tl::make_unexpected(compacted.error());
    Statistics statistics(*compacted);
    auto const done = walk(log, {1}, log.head().sequence, true, [&](auto const& stored) {
        statistics.add(stored.event);
        return true;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    if (stop_requested())
        return kFine;
    statistics.end();
    if (options.output == Output::Table)
        print_table(statistics, standard_output(options.no_color));
    else
        print_json(statistics, options.output);
    return kFine;
}

} // namespace cpm::replay
