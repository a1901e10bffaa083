#include "manager/wake_commands.hpp"

#include "manager/relays.hpp"
#include "manager/waker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::manager {
namespace {

/// The manager's own rounds before a relay is asked where its packets should reach the server.
constexpr std::uint32_t kOwnRounds = 2;

constexpr std::string_view kRelay = "relay";

core::Actor const kTimer{core::ActorKind::Timer, {}};
core::Actor const kAgent{core::ActorKind::Agent, {}};

/// The relay that was asked before did not report in time: that is recorded, and the next one's
/// turn comes.
void give_up_relay(Turn& turn, core::Server const& sleeper) {
    auto const [relay, open] = turn.relays().end(sleeper.id);
    auto const* server = turn.fleet().find(relay);
    core::Payloads payloads;
    for (auto const& ask : open)
        payloads.push_back(core::WakeSent{
            .request = ask.request,
            .mac = ask.mac,
            .way = std::string(kRelay),
            .ok = false,
            .detail = fmt::format(
                "the agent of {} did not say that it sent it", server ? server->config.name : "it"
            ),
            .relay = relay,
        });
    if (!payloads.empty())
        turn.record(sleeper.id, std::move(payloads), kTimer, open.front().request);
}

core::Sequence request_of(core::Server const& server) {
    return server.state.request ? server.state.request->sequence : core::Sequence{};
}

bool needs_relay(Turn& turn, core::Server const& sleeper, core::Actor const& actor) {
    if (sleeper.state.current != core::HeartbeatStatus::None)
        return false; // it is up
    // Who asks for one more packet has seen that those before did not help.
    return actor.kind != core::ActorKind::Timer || sleeper.wakes.rounds > kOwnRounds ||
           !is_within_reach(sleeper, turn.waker().sender());
}

/// What the server is to be ON for was decided in this very round, and is not durable yet.
bool is_on_since_this_round(Turn& turn, core::ServerId server) {
    return std::ranges::any_of(turn.events(), [server](core::Event const& event) {
        bool const turns_on = std::holds_alternative<core::PowerRequested>(event.payload) ||
                              std::holds_alternative<core::PowerAdopted>(event.payload);
        return turns_on && event.server == server;
    });
}

void ask_relay(Turn& turn, core::Server const& sleeper) {
    auto const* relay = turn.relays().choose(turn.fleet(), sleeper);
    if (!relay)
        return;
    for (auto const& mac : sleeper.config.mac_addresses)
        turn.relays().ask(
            relay->id,
            {
                .id = make_id(turn.random(), "wake_"),
                .sleeper = sleeper.id,
                .request = request_of(sleeper),
                .mac = mac,
                .until = turn.now().mono + Relays::kPatience,
            }
        );
}

} // namespace

std::span<core::Event const>
send_wake(Turn& turn, core::Server const& server, core::Actor const& actor) {
    bool const is_asked = turn.relays().has_grace(server.id, turn.now().mono);
    if (!is_asked)
        give_up_relay(turn, server);
    auto sent = turn.waker().wake(server, turn.accounts().find_wake_password(server.id));
    if (sent.empty())
        return {}; // it has no MAC address
    auto const events = turn.record(server.id, std::move(sent), actor, request_of(server));
    if (!is_asked && needs_relay(turn, server, actor))
        ask_relay(turn, server);
    return events;
}

void note_woke(Turn& turn, core::Server const& relay, std::vector<std::string> const& ids) {
    for (auto const& id : ids) {
        auto const ask = turn.relays().take(relay.id, id);
        if (!ask || !turn.fleet().find(ask->sleeper))
            continue;
        core::Payloads payloads;
        payloads.push_back(core::WakeSent{
            .request = ask->request,
            .mac = ask->mac,
            .way = std::string(kRelay),
            .ok = true,
            .detail = {},
            .relay = relay.id,
        });
        turn.record(ask->sleeper, std::move(payloads), kAgent, ask->request);
    }
}

core::Result<WakeServer::Outcome> decide(Turn& turn, WakeServer const& command) {
    auto const* server = turn.fleet().find(command.server);
    if (!server)
        return core::fail(
            core::ErrorCode::NotFound, "there is no server " + to_string(command.server)
        );
    auto const& name = server->config.name;
    if (server->state.power != core::PowerStatus::On)
        return core::fail(
            core::ErrorCode::Conflict,
            fmt::format(
                "nobody asked for {} to be ON, so no packet is sent: request ON, which sends one",
                name
            )
        );
    if (server->config.mac_addresses.empty())
        return core::fail(
            core::ErrorCode::Conflict,
            fmt::format("{} has no MAC address: add one, or join its machine", name)
        );
    WakeServer::Outcome outcome;
    // Its own packet follows at once, or it is up.
    if (is_on_since_this_round(turn, command.server))
        return outcome;
    for (auto const& event : send_wake(turn, *server, command.actor)) {
        auto const* sent = std::get_if<core::WakeSent>(&event.payload);
        if (!sent) // its decision may close the standby time of a server that has settled, too
            continue;
        if (!outcome.sequence)
            outcome.sequence = event.sequence;
        outcome.sent.push_back(*sent);
    }
    auto const* relay = turn.fleet().find(turn.relays().relay_of(command.server));
    outcome.relay = relay ? relay->config.name : std::string{};
    return outcome;
}

core::Result<WakeAll::Outcome> decide(Turn& turn, WakeAll const& command) {
    std::vector<std::pair<std::string, core::ServerId>> servers(
        turn.fleet().by_name.begin(), turn.fleet().by_name.end()
    );
    std::ranges::sort(servers);
    WakeAll::Outcome outcome;
    for (auto& [name, id] : servers) {
        RequestPower request;
        request.actor = command.actor;
        request.server = id;
        request.target = core::PowerStatus::On;
        outcome.emplace_back(std::move(name), decide(turn, request));
    }
    return outcome;
}

} // namespace cpm::manager
