// Why a server has its status, in words. The sentences are data: one for each row of the status
// table and each rule before it (status model 1.3), with places for the evidence.
#include "projections/explanation.hpp"

#include "core/manifest.hpp"
#include "core/status_table.hpp"

#include <fmt/format.h>

#include <iterator>

namespace cpm::projections {
namespace {

using core::HeartbeatStatus;
using core::Leaving;
using core::PowerStatus;
using core::Server;

/// {wish} who asked for what and when; {heard} the last heartbeat; {wakes} the packets sent;
/// {held} what kept it from going down.
struct Sentence {
    std::string_view rule;
    std::string_view open;    ///< while the standby time is open
    std::string_view elapsed; ///< once it has elapsed, or there was no request; empty: the same
};

// The rows in the order of the status table, then the rules.
constexpr Sentence kSentences[] = {
    {"ON/ON/ON", "It reports ON, as it should: {heard}.", ""},
    {"ON/ON/Stopping",
     "It reports that it is going down although its power status is ON ({wish}): {heard}.",
     ""},
    {"ON/ON/None",
     "It fell silent while it was ON, without a word that it was going down ({wish}): {heard}.",
     ""},
    {"ON/Stopping/ON",
     "It was still going down when it was to be ON ({wish}), and reports ON again: {heard}. Its "
     "next heartbeat shows whether it stays up.",
     ""},
    {"ON/Stopping/Stopping",
     "It goes on reporting that it is going down although its power status is ON ({wish}): "
     "{heard}.",
     ""},
    {"ON/Stopping/None",
     "It went down by itself although its power status is ON ({wish}): {heard}.",
     ""},
    {"ON/None/ON", "It reports ON, as it should, for the first time after a silence: {heard}.", ""},
    {"ON/None/Stopping",
     "After a silence it reports that it is going down although its power status is ON ({wish}): "
     "{heard}.",
     ""},
    {"ON/None/None",
     "It is silent although its power status is ON ({wish}), and nothing tells whether it runs: "
     "{heard}.",
     ""},
    {"OFF/ON/ON",
     "It is to go OFF ({wish}) and still reports ON: {heard}. It is expected to report that it is "
     "going down before its standby time has passed.",
     "It still reports ON although it was to go OFF ({wish}) and its standby time has passed: "
     "{heard}. That OFF is no longer told to its agent."},
    {"OFF/ON/Stopping",
     "It is going down ({wish}): {heard}. It is expected to fall silent before its standby time "
     "has "
     "passed.",
     "It is still going down ({wish}) although its standby time has passed: {heard}."},
    {"OFF/ON/None",
     "It fell silent while it was ON, without a word that it was going down, although it was to go "
     "OFF ({wish}): {heard}.",
     ""},
    {"OFF/Stopping/ON",
     "It was turned on by hand: it was going down and reports ON again although its power status "
     "is OFF ({wish}): {heard}.",
     ""},
    {"OFF/Stopping/Stopping",
     "It is going down ({wish}): {heard}. It is expected to fall silent before its standby time "
     "has "
     "passed.",
     "It is still going down ({wish}) although its standby time has passed: {heard}."},
    {"OFF/Stopping/None",
     "It reported that it was going down, then fell silent ({wish}): {heard}.",
     ""},
    {"OFF/None/ON",
     "It was turned on by hand: it was silent and reports ON although its power status is OFF "
     "({wish}): {heard}.",
     ""},
    {"OFF/None/Stopping",
     "It was silent, so it is not known what it did, and now reports that it is going down "
     "({wish}): {heard}.",
     ""},
    {"OFF/None/None", "It is silent, and nothing tells whether it is off ({wish}): {heard}.", ""},
    {core::kRuleStarting,
     "It is expected to report ON before its standby time has passed ({wish}): {wakes}; {heard}.",
     "It has not reported ON although its standby time has passed ({wish}): {wakes}; {heard}."},
    {core::kRuleAcknowledged,
     "It is off as people say ({wish}); no report speaks for or against it: {heard}.",
     ""},
    {core::kRuleBlocked,
     "It refused to go down (held by {held}) and then fell silent, so it is not known whether it "
     "is off ({wish}): {heard}.",
     ""},
    {core::kRuleAdopted, "It was turned on by hand, so its power status became ON: {heard}.", ""},
};

constexpr bool every_row_has_its_sentence() {
    if (std::size(kSentences) < core::table::kRows.size())
        return false;
    for (std::size_t i = 0; i < core::table::kRows.size(); ++i)
        if (kSentences[i].rule != core::table::kRows[i].label || kSentences[i].open.empty())
            return false;
    return true;
}
static_assert(every_row_has_its_sentence());

Sentence const& find_sentence(std::string_view rule) {
    for (auto const& sentence : kSentences)
        if (sentence.rule == rule)
            return sentence;
    return std::end(kSentences)[-1]; // not reached: rows and rules are all there
}

std::string wish_of(Server const& server) {
    if (auto const& request = server.state.request)
        return fmt::format(
            "{} asked for {} at {}",
            name_of(server.requested_by),
            core::to_string(request->target),
            moment_of(server.requested_at)
        );
    // Power is ON without a request only after an adoption, OFF only from the beginning.
    return server.state.power == PowerStatus::On
               ? "it was turned on by hand"
               : "nobody has asked for a power status since it was added";
}

std::string heard_of(Server const& server) {
    if (!server.last_heartbeat_at)
        return "it has never reported";
    auto const at = moment_of(*server.last_heartbeat_at);
    auto const& state = server.state;
    if (state.current != HeartbeatStatus::None)
        return fmt::format("its last heartbeat at {} said {}", at, core::to_string(state.current));
    // A request rebases the history: then only the time of the last heartbeat is still known.
    if (state.previous == HeartbeatStatus::None)
        return fmt::format("its last heartbeat came at {}", at);
    return fmt::format(
        "its last heartbeat at {} said {}, and none followed within {} s",
        at,
        core::to_string(state.previous),
        server.heartbeat_timeout.count()
    );
}

std::string wakes_of(Server const& server) {
    if (server.config.mac_addresses.empty())
        return "it has no MAC address, so it cannot be woken: join its agent or add one";
    if (server.wakes.rounds == 0)
        return "no magic packet has been sent yet";
    auto const times = server.wakes.rounds == 1 ? std::string("once")
                                                : fmt::format("{} times", server.wakes.rounds);
    return fmt::format("it was woken {}, last at {}", times, moment_of(server.wakes.last_at));
}

/// A server that has never said a word, and nobody has asked anything of it.
std::string never_reported(Server const& server, core::Settings const& settings) {
    if (!server.agent.enrolled)
        return "It has never reported: paste the join line of its agent on the machine.";
    return fmt::format(
        "It has never reported although its agent has joined, and is expected to every {} s: see "
        "that the agent runs.",
        core::heartbeat_interval(server.config, settings).count()
    );
}

// --- what stands in the way, each a sentence of its own

std::string_view leaving_note(Server const& server) {
    // An agent that carries out an OFF hears its own power-off: then that says nothing.
    bool const own_wish = server.state.power == PowerStatus::On;
    switch (server.leaving) {
    case Leaving::No: return "";
    case Leaving::Reboot: return " Its own system said that it is restarting.";
    case Leaving::PowerOff:
        return own_wish ? " Its own system said that it was switched off on the machine." : "";
    case Leaving::Suspend:
        return own_wish ? " Its own system said that it was suspended on the machine." : "";
    }
    return "";
}

/// Why an OFF that stands does not reach the agent.
std::string_view untold_note(Server const& server) {
    auto const& state = server.state;
    if (state.set_aside)
        return " Its agent was set aside, because another boot reports as this server: until it is "
               "joined again or reinstated it is told ON and OFF is refused.";
    bool const off_stands = core::manifest_power(state) == PowerStatus::Off;
    bool const can_check = server.agent.can_verify && state.boot;
    if (off_stands && !can_check && !server.config.allow_unsigned)
        return " Its agent is told ON, because it cannot check the signature of an order: use the "
               "agent that can, or allow unsigned orders for this server.";
    if (off_stands && !state.boot && !core::is_asked_of_agent(server))
        return " Its agent is told ON, because it joined after OFF was asked for: ask again.";
    bool const was_to_stop = core::standby_is_open(state) && state.power == PowerStatus::Off &&
                             state.current != HeartbeatStatus::None;
    if (was_to_stop && !state.request->ordered)
        return " Its agent is told ON, because the boot that was to go OFF is no longer the one "
               "that reports.";
    return "";
}

std::string held_note(Server const& server) {
    auto const& state = server.state;
    bool const matters = state.power == PowerStatus::Off && state.current != HeartbeatStatus::None;
    return matters && !state.blocked_by.empty()
               ? fmt::format(" It cannot go down: held by {}.", state.blocked_by)
               : "";
}

std::string_view wake_follows_note(Server const& server) {
    auto const& state = server.state;
    bool const will_be_woken = state.power == PowerStatus::On && state.request &&
                               !state.request->confirmed &&
                               state.current == HeartbeatStatus::Stopping;
    return will_be_woken ? " It is woken as soon as it falls silent." : "";
}

} // namespace

std::string name_of(core::Actor const& actor) {
    switch (actor.kind) {
    case core::ActorKind::User: return actor.name;
    case core::ActorKind::Token: return "the API token " + actor.name;
    case core::ActorKind::Agent: return "its agent";
    case core::ActorKind::Timer: return "a deadline";
    case core::ActorKind::Policy: return "the manager";
    }
    return "";
}

std::string moment_of(core::WallTime time) {
    auto const text = core::to_rfc3339(time); // 2026-11-21T09:00:00.000Z
    return fmt::format("{} {} UTC", text.substr(0, 10), text.substr(11, 8));
}

Reason explain(Server const& server, core::Settings const& settings) {
    auto const& state = server.state;
    auto const rule = core::classify(state).rule;
    bool const untouched = !state.last_heartbeat && !state.request;
    if (untouched && rule == core::table::kRows.back().label)
        return {std::string(rule), never_reported(server, settings)};

    auto const& sentence = find_sentence(rule);
    bool const open = core::standby_is_open(state) || sentence.elapsed.empty();
    auto text = fmt::format(
        fmt::runtime(open ? sentence.open : sentence.elapsed),
        fmt::arg("wish", wish_of(server)),
        fmt::arg("heard", heard_of(server)),
        fmt::arg("wakes", wakes_of(server)),
        fmt::arg("held", state.blocked_by)
    );
    text += leaving_note(server);
    text += held_note(server);
    text += untold_note(server);
    text += wake_follows_note(server);
    return {std::string(rule), std::move(text)};
}

} // namespace cpm::projections
