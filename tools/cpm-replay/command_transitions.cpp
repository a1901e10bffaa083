// cpm-replay transitions: each change of an actual status, decision by decision.
#include "core/evolve.hpp"
#include "projections/decisions.hpp"
#include "projections/event_text.hpp"
#include "projections/explanation_json.hpp"
#include "projections/transitions.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/names.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/server_walk.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace cpm::replay {
namespace {

using projections::Transition;

/// "HeartbeatReceived + PowerAdopted, agent, after 17".
std::string led_there(Transition const& transition) {
    std::string text;
    for (auto const& cause : transition.causes)
        text += fmt::format("{}{}", text.empty() ? "" : " + ", cause.type);
    text += ", " + projections::to_text(transition.actor);
    if (transition.led_by)
        text += fmt::format(", after {}", transition.led_by.value);
    return text;
}

boost::json::object to_json(Transition const& transition, std::string const& name) {
    auto object = projections::to_json(transition);
    object["server"] = name;
    return object;
}

class TransitionView {
  public:
    TransitionView(Options const& options, ServerChoice const& servers)
        : output_(options.output)
        , servers_(servers)
        , table_(
              {"SEQUENCE", "TIME", "SERVER", "FROM", "TO", "RULE", "LED BY", "WHY"},
              standard_output(options.no_color)
          )
        , json_(options.output) {}

    /// Folds one whole decision, and shows the transition it made.
    void apply(std::span<core::Event const> decision) {
        for (auto const& event : decision) {
            evolve(fleet_, event);
            names_.note(event);
        }
        auto const transition = folder_.apply_decision(decision, fleet_);
        if (transition && servers_.has(transition->server))
            is_read_ = show(*transition);
    }

    bool is_read() const { return is_read_; }
    void end() { output_ == Output::Table ? table_.flush() : json_.end(); }

  private:
    bool show(Transition const& transition) {
        auto const name = names_.of(transition.server);
        if (output_ != Output::Table)
            return json_.row(to_json(transition, name));
        return table_.row({
            {std::to_string(transition.decision.value)},
            {core::to_rfc3339(transition.at)},
            {name},
            transition.from ? status_cell(*transition.from) : Cell{"-"},
            status_cell(transition.to),
            {transition.reason.rule},
            {led_there(transition)},
            {transition.reason.text},
        });
    }

    Output output_;
    ServerChoice const& servers_;
    core::Fleet fleet_;
    projections::TransitionFolder folder_;
    Names names_;
    Table table_;
    JsonRows json_;
    bool is_read_ = true;
};

} // namespace

Outcome show_transitions(eventstore::EventReader const& log, Options const& options) {
    ServerChoice servers(options.servers);
    if (auto const resolved = servers.resolve(log); !resolved)
        return tl::make_unexpected(resolved.error());

    TransitionView view(options, servers);
    projections::DecisionReader decisions([&view](auto decision) { view.apply(decision); });
    auto const head = log.head().sequence;
    auto const visit = [&](eventstore::StoredEvent const& stored) {
        decisions.add(stored.event);
        return view.is_read();
    };
    auto with_fleet = servers.ids(); // a start of the manager concerns each server
    with_fleet.push_back(kFleet);
    auto const done = servers.is_all() ? walk(log, {1}, head, true, visit)
                                       : walk_servers(log, with_fleet, {1}, head, visit);
    if (done) // before damage the last decision may not be whole
        decisions.flush();
    view.end();
    if (!done)
        return tl::make_unexpected(done.error());
    return kFine;
}

} // namespace cpm::replay
