// Core and the model of tests/core/model walked in lock-step over every state that can be reached,
// with every input in each: they never disagree, and no edge breaks a sentence of status model 1.0.
#include "core/status_table.hpp"
#include "tests/core/walk.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

using namespace walk;
using model::Sign;

namespace {

std::vector<Input> all_reports() {
    std::vector<Input> inputs;
    for (auto sign : {Sign::Up, Sign::GoingDown})
        for (auto who :
             {Who::Nobody, Who::Recorded, Who::Fresh, Who::Replaced, Who::ReplacedEarlier})
            for (auto number : {Number::Absent, Number::Old, Number::New})
                for (bool blocked : {false, true})
                    inputs.push_back({Kind::Report, sign, who, number, blocked});
    return inputs;
}

std::vector<Input> all_inputs() {
    auto inputs = all_reports();
    for (auto kind :
         {Kind::AskOn,
          Kind::AskOff,
          Kind::Miss,
          Kind::MissOfEarlier,
          Kind::TimeUp,
          Kind::TimeUpOfEarlier,
          Kind::Join,
          Kind::Reinstate,
          Kind::Start,
          Kind::Rollback})
        inputs.push_back(Input{.kind = kind});
    return inputs;
}

/// What may happen between a request and the failure of its sync.
std::vector<std::vector<Input>> all_meanwhiles() {
    return {
        {},
        {Input{.kind = Kind::Miss}},
        {Input{Kind::Report, Sign::Up, Who::Nobody, Number::Absent, false}},
        {Input{Kind::Report, Sign::Up, Who::Recorded, Number::New, false}},
        {Input{Kind::Report, Sign::Up, Who::Fresh, Number::New, false}},
        {Input{Kind::Report, Sign::GoingDown, Who::Recorded, Number::New, false}},
        {Input{Kind::Report, Sign::GoingDown, Who::Fresh, Number::Absent, false}},
        {Input{Kind::Report, Sign::Up, Who::Replaced, Number::New, false}},
    };
}

class Walk {
  public:
    explicit Walk(model::Rules rules)
        : rules_(rules) {}

    void run() {
        Node first;
        if (rules_.releases_when_settled)
            first.fleet.settings.release_standby_when_settled = true;
        visit(std::move(first));
        auto const inputs = all_inputs();
        auto const meanwhiles = all_meanwhiles();
        while (!waiting_.empty() && fault_.empty()) {
            auto const node = std::move(waiting_.front());
            waiting_.pop_front();
            for (auto const& input : inputs)
                follow(node, {input});
            for (auto ask : {Kind::AskOn, Kind::AskOff})
                for (auto const& meanwhile : meanwhiles)
                    fail_sync(node, ask, meanwhile);
        }
    }

    std::string const& fault() const { return fault_; }
    std::size_t states() const { return seen_.size(); }
    std::uint64_t edges() const { return edges_; }
    /// "OFF/ON/None Crashed" of each state.
    std::set<std::string> const& conclusions() const { return conclusions_; }

  private:
    void visit(Node&& node) {
        if (!fault_.empty() || !seen_.insert(node.key()).second)
            return;
        auto const verdict = classify(node.state());
        conclusions_.insert(
            std::string(verdict.rule) + " " + std::string(to_string(verdict.actual))
        );
        if (auto broken = broken_manifest(node); !broken.empty())
            fault_ = broken + "\nat " + node.key();
        waiting_.push_back(std::move(node));
    }

    void fail_sync(Node const& node, Kind ask, std::vector<Input> const& meanwhile) {
        std::vector<Input> path{Input{.kind = ask}};
        path.insert(path.end(), meanwhile.begin(), meanwhile.end());
        path.push_back(Input{.kind = Kind::Start});
        path.push_back(Input{.kind = Kind::Withdraw});
        follow(node, path);
    }

    /// Takes one input after the other; a request that is not accepted ends the path.
    void follow(Node const& from, std::vector<Input> const& path) {
        auto node = from;
        Edge edge;
        for (auto const& input : path) {
            if (!is_possible(node, input))
                return;
            auto const before = node.key();
            auto fault = step(node, input, rules_, from, edge);
            for (auto const& broken : {broken_sentence(node, edge), broken_answer(node, edge)})
                if (fault.empty())
                    fault = broken;
            ++edges_;
            if (!fault.empty()) {
                fault_ = fault + "\nat " + before + "\non " + to_string(input);
                return;
            }
            bool const asks = input.kind == Kind::AskOn || input.kind == Kind::AskOff;
            if (asks && (edge.events.empty() || node.state().request == edge.before.request))
                return;
        }
        visit(std::move(node));
    }

    model::Rules rules_;
    std::deque<Node> waiting_;
    std::unordered_set<std::string> seen_;
    std::set<std::string> conclusions_;
    std::uint64_t edges_ = 0;
    std::string fault_;
};

/// Each row and rule with each status it can give, but for the rows that a decision never ends in:
/// OFF/Stopping/ON and OFF/None/ON are adopted or re-asserted at once, and power is ON after two
/// silences only by a request that S explains.
std::set<std::string> const kReachable{
    "A OFF",
    "B Unknown",
    "OFF/None/None Unknown",
    "OFF/None/Stopping Unknown",
    "OFF/ON/None Crashed",
    "OFF/ON/ON BeforeStopping",
    "OFF/ON/ON Unknown",
    "OFF/ON/Stopping ShutdownDelayed",
    "OFF/ON/Stopping Stopping",
    "OFF/Stopping/None OFF",
    "OFF/Stopping/Stopping ShutdownDelayed",
    "OFF/Stopping/Stopping Stopping",
    "ON/None/ON ON",
    "ON/None/Stopping Unknown",
    "ON/ON/None Crashed",
    "ON/ON/ON ON",
    "ON/ON/Stopping Unknown",
    "ON/Stopping/None Unknown",
    "ON/Stopping/ON Unknown",
    "ON/Stopping/Stopping Unknown",
    "S Starting",
    "S StartupDelayed",
    "adopted ManuallyON",
};

} // namespace

TEST_CASE("walk: core and the model agree in every reachable state, and 1.0 holds on every edge") {
    Walk walk{model::Rules{}};
    walk.run();
    MESSAGE(walk.states() << " states, " << walk.edges() << " edges");
    INFO(walk.fault());
    CHECK(walk.fault().empty());
    for (auto const& conclusion : kReachable)
        CHECK_MESSAGE(walk.conclusions().contains(conclusion), conclusion);
    for (auto const& conclusion : walk.conclusions())
        CHECK_MESSAGE(kReachable.contains(conclusion), conclusion);
}

TEST_CASE("walk: the same with release_standby_when_settled (1.4)") {
    Walk walk{model::Rules{.releases_when_settled = true}};
    walk.run();
    MESSAGE(walk.states() << " states, " << walk.edges() << " edges");
    INFO(walk.fault());
    CHECK(walk.fault().empty());
}
