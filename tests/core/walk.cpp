#include "tests/core/walk.hpp"

#include "core/evolve.hpp"
#include "core/status_table.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace cpm::core;
using model::Sign;

namespace walk {
namespace {

constexpr std::size_t kVisibleGhosts = 2; ///< inputs speak as the newest two alone

HeartbeatStatus heartbeat(Sign sign) {
    switch (sign) {
    case Sign::Silent: return HeartbeatStatus::None;
    case Sign::Up: return HeartbeatStatus::On;
    case Sign::GoingDown: return HeartbeatStatus::Stopping;
    }
    return {};
}

std::optional<int> speaker(Node const& node, Who who) {
    switch (who) {
    case Who::Nobody: return std::nullopt;
    case Who::Recorded: return node.machine.who;
    case Who::Fresh: return node.next_identity;
    case Who::Replaced: return node.machine.ghosts.at(0).who;
    case Who::ReplacedEarlier: return node.machine.ghosts.at(1).who;
    }
    return std::nullopt;
}

model::Speech speech(Node const& node, Input const& input) {
    model::Speech said{input.sign, speaker(node, input.who), std::nullopt, input.blocked};
    auto const last = node.machine.count.value_or(5);
    if (input.number != Number::Absent)
        said.count = input.number == Number::Old ? last : last + 1;
    return said;
}

Report report(model::Speech const& said) {
    Report made;
    made.status = heartbeat(said.sign);
    if (said.who)
        made.identity = identity(*said.who);
    if (said.count)
        made.report = static_cast<std::uint64_t>(*said.count);
    made.blocked_by = said.hindered ? "hold" : "";
    return made;
}

Sequence last_request(ServerState const& state) {
    return state.request ? state.request->sequence : Sequence{};
}

Payloads core_decides(Node const& node, Input const& input, Node const& before_request) {
    auto const& state = node.state();
    switch (input.kind) {
    case Kind::AskOn: return decide_power(node.server(), PowerStatus::On, seconds{300}, {}).events;
    case Kind::AskOff:
        return decide_power(node.server(), PowerStatus::Off, seconds{300}, {}).events;
    case Kind::Report:
        return decide_heartbeat(node.server(), report(speech(node, input)), seconds{30});
    case Kind::Miss: return decide_silence(state, state.last_heartbeat);
    case Kind::MissOfEarlier: return decide_silence(state, Sequence{1});
    case Kind::TimeUp: return decide_elapsed(state, last_request(state), false);
    case Kind::TimeUpOfEarlier: return decide_elapsed(state, Sequence{1}, false);
    case Kind::Join: return {AgentJoined{}};
    case Kind::Reinstate: return {AgentReinstated{}};
    case Kind::Start: return {ManagerStarted{}};
    case Kind::Rollback: return {RollbackAccepted{node.fleet.epoch + 1}};
    case Kind::Withdraw:
        return {decide_withdrawal(before_request.state(), before_request.head.next())};
    }
    return {};
}

model::Outcome
model_says(Node const& node, Input const& input, model::Rules rules, Node const& before_request) {
    auto const& machine = node.machine;
    auto const number = static_cast<std::int64_t>(node.head.value) + 1;
    switch (input.kind) {
    case Kind::AskOn: return model::ask_for(machine, false, number, rules);
    case Kind::AskOff: return model::ask_for(machine, true, number, rules);
    case Kind::Report: return model::hear(machine, speech(node, input), rules);
    case Kind::Miss: return model::miss(machine, rules);
    case Kind::MissOfEarlier:
    case Kind::TimeUpOfEarlier: return {machine, {}};
    case Kind::TimeUp: return model::time_up(machine, rules);
    case Kind::Join: return model::join(machine, rules);
    case Kind::Reinstate: return model::trust_again(machine, rules);
    case Kind::Start: return model::manager_start(machine);
    case Kind::Rollback: return model::accept_rollback(machine);
    case Kind::Withdraw: return model::take_back(machine, before_request.machine, rules);
    }
    return {};
}

/// Both sides in one form.
std::string describe(ServerState const& state) {
    auto text = fmt::format(
        "{} {} {}", to_string(state.power), to_string(state.previous), to_string(state.current)
    );
    if (auto const& request = state.request)
        text += fmt::format(
            " request {} {}{}{}{}{}",
            request->sequence.value,
            to_string(request->target),
            request->standby == Standby::Elapsed ? " elapsed" : " open",
            request->ordered ? " ordered" : "",
            request->answered ? " answered" : "",
            request->confirmed ? " confirmed" : ""
        );
    if (state.boot)
        text += fmt::format(
            " boot {}",
            state.boot->boot_id.bytes[14] * 256 * 2 + state.boot->boot_id.bytes[15] * 2 +
                static_cast<int>(state.boot->resume_count)
        );
    for (auto const& earlier : state.earlier)
        text += fmt::format(
            " gone {}{}",
            earlier.identity.boot_id.bytes[14] * 256 * 2 + earlier.identity.boot_id.bytes[15] * 2 +
                static_cast<int>(earlier.identity.resume_count),
            earlier.ignored ? "!" : ""
        );
    if (state.report)
        text += fmt::format(" report {}", *state.report);
    text += state.blocked_by.empty() ? "" : " blocked";
    text += state.set_aside ? " set-aside" : "";
    return text + fmt::format(": {} by {}", to_string(state.actual), classify(state).rule);
}

std::string word(Sign sign) {
    return std::string(to_string(heartbeat(sign)));
}

std::string describe(model::Machine const& machine) {
    auto text = fmt::format(
        "{} {} {}",
        machine.should_run ? "ON" : "OFF",
        word(machine.heard[0]),
        word(machine.heard[1])
    );
    if (auto const& ask = machine.ask)
        text += fmt::format(
            " request {} {}{}{}{}{}",
            ask->number,
            ask->for_off ? "OFF" : "ON",
            ask->time_is_up ? " elapsed" : " open",
            ask->is_order ? " ordered" : "",
            ask->obeyed ? " answered" : "",
            ask->seen_up ? " confirmed" : ""
        );
    if (machine.who)
        text += fmt::format(" boot {}", *machine.who);
    for (auto const& ghost : machine.ghosts)
        text += fmt::format(" gone {}{}", ghost.who, ghost.has_spoken ? "!" : "");
    if (machine.count)
        text += fmt::format(" report {}", *machine.count);
    text += machine.hindered ? " blocked" : "";
    text += machine.distrusted ? " set-aside" : "";
    auto const [status, reason] = model::conclude(machine);
    return text + fmt::format(": {} by {}", status, reason);
}

bool has_event(std::vector<Event> const& events, std::string_view name) {
    return std::ranges::any_of(events, [&](Event const& event) {
        return type_name(event.payload) == name;
    });
}

void note(Node& node, Edge const& edge, Node const& before_request) {
    auto& history = node.history;
    auto const kind = edge.input.kind;
    bool const counted = has_event(edge.events, "HeartbeatReceived");
    if (has_event(edge.events, "PowerRequested")) {
        bool const off = kind == Kind::AskOff;
        history.off_stands = off;
        history.was_reporting = off && !history.silent_since;
        history.other_spoke = false;
        history.was_over = false;
        history.asked_of = off ? node.machine.who : std::nullopt;
    }
    if (kind == Kind::Report && edge.speaker && edge.speaker != history.asked_of)
        history.other_spoke = true;
    if (counted) {
        history.last_word = edge.input.sign;
        history.silent_since = false;
        history.unhindered = !edge.input.blocked;
    }
    if (kind == Kind::Miss)
        history.silent_since = true;
    if (kind == Kind::Join)
        history.asked_of.reset();
    if (kind == Kind::Join || kind == Kind::Start)
        history.unhindered = false;
    if (has_event(edge.events, "PowerAdopted"))
        history.off_stands = history.was_reporting = false;
    if (kind == Kind::Withdraw) {
        history = before_request.history;
        history.was_over = true;
    }
    if (!history.off_stands) {
        history.asked_of.reset();
        history.other_spoke = history.was_over = false;
    } else if (manifest_power(node.state()) == PowerStatus::On) {
        history.was_over = true;
    }
}

} // namespace

Node::Node() {
    ServerConfig config;
    config.name = "node";
    std::vector<Event> batch;
    record(fleet, kId, {ServerAdded{config}}, Provenance{}, head, batch);
    head = batch.back().sequence;
}

BootIdentity identity(int number) {
    BootIdentity made;
    made.boot_id.bytes[14] = static_cast<std::uint8_t>(number / 2 / 256);
    made.boot_id.bytes[15] = static_cast<std::uint8_t>(number / 2 % 256);
    made.resume_count = static_cast<std::uint64_t>(number % 2);
    return made;
}

std::string Node::key() const {
    auto machine_seen = machine;
    auto const name = [&](int who) { return who == machine.who ? 1 : 0; };
    auto const asked_of = history.asked_of ? name(*history.asked_of) : 2;
    if (machine_seen.ghosts.size() > kVisibleGhosts)
        machine_seen.ghosts.resize(kVisibleGhosts);
    for (auto& ghost : machine_seen.ghosts)
        ghost.who = 0;
    if (machine_seen.who)
        machine_seen.who = 1;
    if (machine_seen.count)
        machine_seen.count = 1;
    if (machine_seen.ask)
        machine_seen.ask->number = 0;
    return describe(machine_seen) + fmt::format(
                                        " {} {}{} {}{}{}{}{} {}{}{}",
                                        machine.by_hand,
                                        machine.has_spoken,
                                        machine.ask && machine.ask->of_known,
                                        history.off_stands,
                                        history.was_reporting,
                                        history.other_spoke,
                                        history.was_over,
                                        asked_of,
                                        static_cast<int>(history.last_word),
                                        history.silent_since,
                                        history.unhindered
                                    );
}

std::string to_string(Input const& input) {
    static constexpr std::string_view kKinds[] = {
        "ask ON",
        "ask OFF",
        "report",
        "miss",
        "miss of an earlier heartbeat",
        "standby elapsed",
        "an earlier standby elapsed",
        "join",
        "reinstate",
        "manager start",
        "rollback accepted",
        "withdraw"};
    static constexpr std::string_view kWho[] = {
        "nobody", "recorded", "fresh", "replaced", "replaced earlier"};
    static constexpr std::string_view kNumbers[] = {"no number", "old number", "new number"};
    auto text = std::string(kKinds[static_cast<int>(input.kind)]);
    if (input.kind == Kind::Report)
        text += fmt::format(
            " {} by {}, {}{}",
            word(input.sign),
            kWho[static_cast<int>(input.who)],
            kNumbers[static_cast<int>(input.number)],
            input.blocked ? ", blocked" : ""
        );
    return text;
}

bool is_possible(Node const& node, Input const& input) {
    if (input.kind != Kind::Report)
        return true;
    auto const& machine = node.machine;
    switch (input.who) {
    case Who::Recorded: return machine.who.has_value();
    case Who::Replaced: return !machine.ghosts.empty();
    case Who::ReplacedEarlier: return machine.ghosts.size() > 1;
    case Who::Nobody:
    case Who::Fresh: return true;
    }
    return false;
}

std::string
step(Node& node, Input const& input, model::Rules rules, Node const& before_request, Edge& edge) {
    edge = Edge{input, node.state(), {}, node.history, std::nullopt};
    if (input.kind == Kind::Report)
        edge.speaker = speaker(node, input.who);
    auto payloads = core_decides(node, input, before_request);
    auto outcome = model_says(node, input, rules, before_request);

    bool const about_none = input.kind == Kind::Start || input.kind == Kind::Rollback;
    auto const server = about_none ? ServerId{} : Node::kId;
    record(node.fleet, server, std::move(payloads), Provenance{}, node.head, edge.events);
    if (!edge.events.empty())
        node.head = edge.events.back().sequence;
    node.machine = std::move(outcome.then);
    if (input.kind == Kind::Report && input.who == Who::Fresh)
        ++node.next_identity;
    note(node, edge, before_request);

    std::vector<std::string> logged;
    for (auto const& event : edge.events)
        logged.emplace_back(type_name(event.payload));
    if (logged != outcome.logged)
        return fmt::format(
            "core logs {}\nthe model {}", fmt::join(logged, " "), fmt::join(outcome.logged, " ")
        );
    for (auto const& event : edge.events)
        if (auto const* adopted = std::get_if<PowerAdopted>(&event.payload))
            if (adopted->notify != outcome.people_are_told)
                return "they disagree in whether people are told of the adoption";
    auto const core_is = describe(node.state());
    auto const model_is = describe(node.machine);
    if (core_is != model_is)
        return fmt::format("core says  {}\nthe model {}", core_is, model_is);
    return {};
}

} // namespace walk
