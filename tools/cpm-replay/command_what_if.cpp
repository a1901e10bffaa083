// cpm-replay what-if: the same requests and reports, decided anew under other settings.
#include "core/evolve.hpp"
#include "projections/decisions.hpp"
#include "projections/json_parts.hpp"
#include "projections/transitions.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/names.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/simulation.hpp"
#include "tools/cpm-replay/timeline.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace cpm::replay {
namespace {

/// Folds decisions into the statuses of each server over time.
class StatusRecorder {
  public:
    explicit StatusRecorder(Timelines& timelines)
        : timelines_(timelines) {}

    void decided(std::span<core::Event const> decision, core::Fleet const& after) {
        auto const& first = decision.front();
        if (auto const transition = folder_.apply_decision(decision, after))
            timelines_[transition->server].push_back(
                {transition->at, transition->to, transition->reason}
            );
        else if (first.server && !after.find(first.server) && timelines_.contains(first.server))
            timelines_[first.server].push_back({first.at, std::nullopt, {}});
    }

  private:
    projections::TransitionFolder folder_;
    Timelines& timelines_;
};

struct Comparison {
    std::vector<Difference> differences;
    Names names;
    core::Sequence compacted;
};

core::Result<Comparison>
compare_with(eventstore::EventReader const& log, OtherSettings const& settings) {
    Comparison result;
    auto const compacted = log.compacted_until();
    if (!compacted)
        return tl::make_unexpected(compacted.error());
    result.compacted = *compacted;

    Timelines as_it_was;
    Timelines as_it_would_be;
    core::Fleet fleet;
    StatusRecorder was(as_it_was);
    StatusRecorder would_be(as_it_would_be);
    projections::DecisionReader decisions([&](std::span<core::Event const> decision) {
        for (auto const& event : decision)
            evolve(fleet, event);
        was.decided(decision, fleet);
    });
    Simulation* running = nullptr;
    Simulation simulation(settings, *compacted, [&](auto decision) {
        would_be.decided(decision, running->fleet());
    });
    running = &simulation;
    auto const done = walk(log, {1}, log.head().sequence, true, [&](auto const& stored) {
        result.names.note(stored.event);
        decisions.add(stored.event);
        simulation.add(stored.event);
        return true;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    decisions.flush();
    result.differences = differences(as_it_was, as_it_would_be);
    return result;
}

Cell cell_of(std::optional<core::ActualStatus> const& status) {
    return status ? status_cell(*status) : Cell{"-"};
}

std::string told_of_compacted(Comparison const& result) {
    return fmt::format(
        "routine heartbeats are compacted up to event {}: until there, losses stand as they were",
        result.compacted.value
    );
}

void print_table(Comparison const& result, Screen screen) {
    Table table({"FROM", "UNTIL", "SERVER", "WAS", "WOULD BE", "RULE", "WHY"}, screen);
    for (auto const& one : result.differences)
        table.row(
            {{core::to_rfc3339(one.from)},
             {one.until ? core::to_rfc3339(*one.until) : "the end"},
             {result.names.of(one.server)},
             cell_of(one.was),
             cell_of(one.would_be),
             {one.reason.rule},
             {one.reason.text}}
        );
    if (!result.differences.empty())
        table.flush();
    auto const count = result.differences.size();
    write(
        count == 0
            ? "nothing would differ\n"
            : fmt::format("{} {} differ\n", count, count == 1 ? "status would" : "statuses would")
    );
    if (result.compacted)
        write(told_of_compacted(result) + '\n');
}

boost::json::value status_json(std::optional<core::ActualStatus> const& status) {
    return projections::text_or_null(status ? to_string(*status) : "");
}

void print_json(Comparison const& result, Output output) {
    boost::json::array rows;
    for (auto const& one : result.differences) {
        boost::json::object row{
            {"from", core::to_rfc3339(one.from)},
            {"until", projections::time_or_null(one.until)},
            {"server_id", to_string(one.server)},
            {"server", result.names.of(one.server)},
            {"was", status_json(one.was)},
            {"would_be", status_json(one.would_be)},
            {"reason", boost::json::object{{"rule", one.reason.rule}, {"text", one.reason.text}}}};
        if (output == Output::Ndjson)
            write(boost::json::serialize(row) + '\n');
        else
            rows.push_back(std::move(row));
    }
    if (output == Output::Ndjson && result.compacted) // each line is a difference
        fmt::print(stderr, "cpm-replay: {}\n", told_of_compacted(result));
    if (output == Output::Ndjson)
        return;
    write(
        boost::json::serialize(boost::json::object{
            {"differences", std::move(rows)},
            {"compacted_until", projections::to_json(result.compacted)}}) +
        '\n'
    );
}

} // namespace

Outcome what_if(eventstore::EventReader const& log, Options const& options) {
    auto const result =
        compare_with(log, {options.standby, options.missed, options.release_standby});
    if (!result)
        return tl::make_unexpected(result.error());
    if (stop_requested())
        return kFine;
    if (options.output == Output::Table)
        print_table(*result, standard_output(options.no_color));
    else
        print_json(*result, options.output);
    return kFine;
}

} // namespace cpm::replay
