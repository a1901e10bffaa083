#include "tests/sim/wakes.hpp"

#include "tests/sim/journal.hpp"
#include "tests/sim/second_reading.hpp"

#include <algorithm>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

/// So long a packet may be late: turns that are late themselves, and the stagger between servers.
constexpr Time kSlack = 2s;
constexpr Time kStagger = 400ms;

/// After the n-th round: 1 s, 2 s, 4 s …
Time pause_after(std::uint32_t rounds) {
    return Time(1s) * (1LL << (std::clamp(rounds, 1U, 18U) - 1));
}

[[noreturn]] void wrong(core::ServerId server, std::string_view what) {
    violated(Invariant::WakesAreSent, fmt::format("{}: {}", to_string(server), what));
}

} // namespace

void Wakes::enter(core::Event const& event, SecondReading const& model, Time decided, bool live) {
    auto const& payload = event.payload;
    if (!event.server)
        return;
    auto& server = servers_[event.server];
    bool const is_closed = std::holds_alternative<core::StandbyElapsed>(payload) ||
                           std::holds_alternative<core::StandbyReleased>(payload);
    if (auto const* sent = std::get_if<core::WakeSent>(&payload)) {
        if (!sent->relay)
            enter_packet(server, *sent, event, model, decided, live);
    } else if (auto const* made = std::get_if<core::PowerRequested>(&payload)) {
        server = {};
        server.request = event.sequence;
        if (made->target == core::PowerStatus::On)
            server.due = decided;
    } else if (auto const* heard = std::get_if<core::HeartbeatReceived>(&payload)) {
        if (heard->status == core::HeartbeatStatus::On || server.rounds > 0)
            server.due.reset();
    } else if (is_closed) {
        if (server.rounds > 0)
            server.due.reset();
    } else if (std::holds_alternative<core::HeartbeatLost>(payload)) {
        server.may_be_soon = true;
        if (model.awaits_start(event.server))
            server.due = decided;
    } else if (std::holds_alternative<core::PowerAdopted>(payload)) {
        server = {};
    } else if (auto const* back = std::get_if<core::PowerWithdrawn>(&payload)) {
        server = {};
        server.request = back->restored ? back->restored->sequence : core::Sequence{};
        server.is_known = false;
    }
}

void Wakes::enter_packet(
    Server& server,
    core::WakeSent const& sent,
    core::Event const& event,
    SecondReading const& model,
    Time decided,
    bool live
) {
    recorded_ += live ? 1 : 0;
    if (event.actor.kind != core::ActorKind::Timer)
        return; // somebody asked for one more
    bool const stands = model.is_asked_on(event.server) && server.request == sent.request;
    if (!stands || (server.rounds > 0 && !model.awaits_start(event.server)))
        wrong(event.server, "a packet that nobody waits for");
    if (event.sequence != event.decision)
        return; // another card
    server.due.reset();
    if (!server.is_known)
        return;
    if (live && !server.may_be_soon && decided - server.last < pause_after(server.rounds))
        wrong(event.server, "a packet before its pause is over");
    ++server.rounds;
    server.last = decided;
    server.may_be_soon = !live;
    if (event.actual == core::ActualStatus::Starting)
        server.due = decided + pause_after(server.rounds);
}

void Wakes::begin(SecondReading const& model, Time now) {
    for (auto& [id, server] : servers_) {
        server.may_be_soon = true;
        server.due.reset();
        bool const waits = server.is_known && model.awaits_start(id);
        if (waits && server.rounds == 0)
            server.due = now;
        else if (waits && model.status(id) == "Starting")
            server.due = now + pause_after(server.rounds);
    }
}

void Wakes::was_away(Time now) {
    for (auto& [id, server] : servers_)
        if (server.due)
            server.due = std::max(*server.due, now);
}

void Wakes::check_overdue(Time began) const {
    auto const slack = kSlack + kStagger * static_cast<std::int64_t>(servers_.size());
    for (auto const& [id, server] : servers_)
        if (server.due && *server.due + slack < began)
            wrong(id, "a packet was due, and was not sent");
}

void Wakes::sent(core::ServerId server, SecondReading const& model) {
    ++sent_;
    if (!model.should_run(server))
        wrong(server, "a packet before its request is durable");
}

void Wakes::check_recorded() {
    if (sent_ != recorded_)
        violated(
            Invariant::WakesAreSent, fmt::format("{} were sent, {} recorded", sent_, recorded_)
        );
    sent_ = recorded_ = 0;
}

} // namespace cpm::sim
