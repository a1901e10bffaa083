// The sentences of status model 1.0, and those of 1.4 that must hold on every edge, said of core
// alone: by what a bystander saw happen, not by the model.
#include "core/evolve.hpp"
#include "core/status_table.hpp"
#include "tests/core/walk.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace cpm::core;
using model::Sign;

namespace walk {
namespace {

bool has(Edge const& edge, std::string_view name) {
    return std::ranges::any_of(edge.events, [&](Event const& event) {
        return type_name(event.payload) == name;
    });
}

bool is_request(Input const& input) {
    return input.kind == Kind::AskOn || input.kind == Kind::AskOff;
}

/// An OFF stands that was asked of this server while it reported, and it has been one ever since.
bool may_be_told_off(History const& history) {
    return history.off_stands && history.was_reporting && !history.other_spoke && !history.was_over;
}

std::string broken_request(Node const& after, Edge const& edge) {
    auto const& was = edge.before;
    auto const& is = after.state();
    bool const accepted = has(edge, "PowerRequested");
    if (is_request(edge.input) && !accepted && is != was)
        return "a request that was refused or unchanged changed the state";
    if (accepted && standby_is_open(was))
        return "a request was accepted while the standby time was open";
    if (standby_is_open(is) && !standby_is_open(was) && !accepted)
        return "the standby time opened without a request";
    bool const withdrawn = edge.input.kind == Kind::Withdraw;
    if (was.power == PowerStatus::On && is.power == PowerStatus::Off && !withdrawn &&
        !(accepted && edge.input.kind == Kind::AskOff))
        return "power became OFF without anybody asking";
    if (was.power == PowerStatus::Off && is.power == PowerStatus::On && !withdrawn &&
        !(accepted && edge.input.kind == Kind::AskOn) && !has(edge, "PowerAdopted"))
        return "power became ON without a request or an adoption";
    return {};
}

std::string broken_report(Node const& after, Edge const& edge) {
    if (edge.input.kind != Kind::Report)
        return {};
    auto const& was = edge.before;
    auto const& is = after.state();
    bool const up = edge.input.sign == Sign::Up;
    if (edge.input.who == Who::Fresh && manifest_power(is) != PowerStatus::On)
        return "1.0.3: the manifest says OFF although a boot that was never seen reported";
    if (edge.input.who == Who::Fresh && up && is.power != PowerStatus::On)
        return "1.0.3: ON from a boot that was never seen did not win";
    bool const replaced = edge.input.who == Who::Replaced || edge.input.who == Who::ReplacedEarlier;
    bool const ignored = has(edge, "ReportIgnored");
    if (replaced && !ignored)
        return "a report of a replaced identity counted";
    if (replaced && manifest_power(is) != PowerStatus::On)
        return "an OFF stands although a replaced identity reported";
    if (ignored && (is.power != was.power || is.previous != was.previous ||
                    is.current != was.current || is.boot != was.boot || is.report != was.report ||
                    is.last_heartbeat != was.last_heartbeat || is.blocked_by != was.blocked_by))
        return "a report that does not count left a trace";
    if (!ignored && up && was.power == PowerStatus::Off && was.current != HeartbeatStatus::On &&
        is.actual != ActualStatus::ManuallyOn && is.actual != ActualStatus::BeforeStopping)
        return "ON after Stopping or silence was neither adopted nor re-asserted";
    return {};
}

std::string broken_conclusion(Node const& after, Edge const& edge) {
    auto const& was = edge.before;
    auto const& is = after.state();
    auto const& seen = after.history;
    auto const verdict = classify(is);
    if (verdict.actual != is.actual || verdict.rule.empty())
        return "1.0.5: the status is not what the table gives, or does not say why";
    if (edge.input.kind == Kind::Start &&
        (is.actual != was.actual || is.power != was.power || is.previous != was.previous ||
         is.current != was.current))
        return "1.0.4: a start of the manager proved something";
    bool const by_silence = seen.last_word == Sign::GoingDown && seen.silent_since;
    bool const by_word = seen.off_stands && !seen.was_reporting;
    if (is.actual == ActualStatus::Off && !by_silence && !by_word)
        return "1.0.4: OFF without evidence";
    if (is.actual == ActualStatus::ManuallyOn &&
        (is.power != PowerStatus::On || is.current != HeartbeatStatus::On))
        return "ManuallyON, but power or the last report is not ON";
    return {};
}

/// What an adoption and a re-assertion name.
std::string broken_evidence(Node const&, Edge const& edge) {
    auto const& request = edge.before.request;
    auto const stood = request ? request->sequence : Sequence{};
    for (auto const& event : edge.events) {
        auto const* adopted = std::get_if<PowerAdopted>(&event.payload);
        if (adopted && adopted->overruled != stood)
            return "an adoption does not name the request it overruled";
        if (adopted && adopted->identity.has_value() != edge.speaker.has_value())
            return "an adoption does not name who reported";
        if (adopted && adopted->identity && *adopted->identity != identity(*edge.speaker))
            return "an adoption names another identity than the one that reported";
        auto const* again = std::get_if<PowerReasserted>(&event.payload);
        if (again && again->request != stood)
            return "a re-assertion does not name its request";
        if (again && !may_be_told_off(edge.history_before))
            return "a re-assertion of what was no order";
    }
    return {};
}

/// One decision: one number, the status after it on each event, and a fold of it is what is served.
std::string broken_record(Node const& after, Edge const& edge) {
    auto state = edge.before;
    auto sequence = edge.events.empty() ? Sequence{} : edge.events[0].sequence;
    for (auto const& event : edge.events) {
        if (event.sequence != sequence || event.decision != edge.events[0].sequence)
            return "the events of a decision are not numbered as one";
        if (event.server && event.actual != after.state().actual)
            return "an event does not carry the status after its decision";
        sequence = sequence.next();
        evolve(state, event.sequence, event.payload);
    }
    return state == after.state() ? "" : "1.0.5: a replay of the events is not what is served";
}

model::Told told(Manifest const& manifest) {
    if (manifest.power_status == PowerStatus::Off)
        return manifest.order ? model::Told::OffWithOrder : model::Told::OffUnsigned;
    return manifest.notice == Notice::None ? model::Told::On : model::Told::OnWithNotice;
}

std::string broken_told(Node& after, model::Caller const& caller) {
    auto& server = after.fleet.servers.at(Node::kId);
    server.config.allow_unsigned = caller.unsigned_will_do;
    Asker const asker{
        .identity = caller.who ? std::optional(identity(*caller.who)) : std::nullopt,
        .nonce = caller.sent_nonce ? "once" : "",
        .way = caller.by_heartbeat ? OrderWay::Heartbeat : OrderWay::Manifest,
        .counted = caller.word_counted,
    };
    auto const manifest = manifest_for(server, after.fleet.settings, asker, caller.log_rolled_back);
    server.config.allow_unsigned = false;

    if (told(manifest) != model::tell(after.machine, caller))
        return fmt::format(
            "core tells {}, the model {}",
            static_cast<int>(told(manifest)),
            static_cast<int>(model::tell(after.machine, caller))
        );
    if (manifest.power_status == PowerStatus::On)
        return manifest.order ? "an order beside ON" : "";
    if (!caller.word_counted || caller.log_rolled_back || server.state.set_aside)
        return "OFF told to one whose report did not count, or who cannot be trusted";
    if (!may_be_told_off(after.history))
        return "1.0.1: OFF without a standing request made while the server was reporting";
    if (server.state.request->standby == Standby::Elapsed &&
        (after.history.last_word != Sign::GoingDown || after.history.silent_since ||
         !after.history.unhindered))
        return "an OFF outlived its standby time without an unbroken row of Stopping";
    auto const& order = manifest.order;
    if (order && (order->server != server.id || order->identity != server.state.boot ||
                  order->identity != asker.identity || order->nonce != asker.nonce ||
                  order->request != server.state.request->sequence))
        return "1.0.2: an order that fits another server, boot, nonce or request";
    return {};
}

} // namespace

std::string broken_sentence(Node const& after, Edge const& edge) {
    for (auto* check :
         {broken_request, broken_report, broken_conclusion, broken_evidence, broken_record})
        if (auto broken = check(after, edge); !broken.empty())
            return broken;
    return {};
}

std::string broken_manifest(Node& after) {
    std::vector<std::optional<int>> callers{std::nullopt, after.next_identity};
    if (after.machine.who)
        callers.push_back(after.machine.who);
    if (!after.machine.ghosts.empty())
        callers.emplace_back(after.machine.ghosts[0].who);
    for (auto const& who : callers)
        for (bool nonce : {false, true})
            for (bool unsigned_will_do : {false, true})
                for (bool rolled_back : {false, true}) {
                    model::Caller const caller{
                        .who = who,
                        .sent_nonce = nonce,
                        .unsigned_will_do = unsigned_will_do,
                        .log_rolled_back = rolled_back};
                    if (auto broken = broken_told(after, caller); !broken.empty())
                        return broken;
                }
    return {};
}

std::string broken_answer(Node& after, Edge const& edge) {
    if (edge.input.kind != Kind::Report)
        return {};
    for (bool nonce : {false, true})
        for (bool unsigned_will_do : {false, true}) {
            model::Caller const caller{
                .who = edge.speaker,
                .sent_nonce = nonce,
                .by_heartbeat = true,
                .word_counted = !has(edge, "ReportIgnored"),
                .unsigned_will_do = unsigned_will_do};
            if (auto broken = broken_told(after, caller); !broken.empty())
                return broken;
        }
    return {};
}

} // namespace walk
