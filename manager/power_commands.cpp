#include "manager/power_commands.hpp"

#include <algorithm>

namespace cpm::manager {
namespace {

using core::ErrorCode;
using core::PowerStatus;

core::Result<void> check_rollback(Turn const& turn) {
    if (!turn.rolled_back())
        return {};
    return core::fail(
        ErrorCode::RolledBack,
        "the event log was rolled back: an administrator accepts this first (POST "
        "/api/v1/rollback/accept)"
    );
}

/// One server's request: decided, recorded, and its refusal told with what is left to wait.
core::Result<RequestPower::Outcome> decide_one(
    Turn& turn,
    core::Server const& server,
    PowerStatus target,
    core::PowerGuards const& guards,
    core::Actor const& actor
) {
    auto const standby = core::standby_time(server.config, turn.fleet().settings);
    auto decision = core::decide_power(server, target, standby, guards);
    if (decision.refusal && decision.refusal->code == ErrorCode::StandbyOpen) {
        // Its deadline may have passed and be decided after this: "wait 0 seconds" helps nobody.
        auto const left = std::chrono::ceil<core::seconds>(turn.standby_remaining(server));
        decision.refusal->remaining_seconds = std::max(left, core::seconds{1}).count();
    }
    auto const holds = server.state.request ? server.state.request->sequence : server.changed;
    auto const events = turn.record(server.id, std::move(decision.events), actor);
    if (decision.refusal)
        return tl::make_unexpected(std::move(*decision.refusal));
    if (events.empty())
        return RequestPower::Outcome{false, holds};
    return RequestPower::Outcome{true, events.front().sequence};
}

std::vector<core::ServerId> named_servers(Turn const& turn, RequestPowerOfMany const& command) {
    if (!command.tag)
        return command.servers;
    std::vector<core::Server const*> tagged;
    for (auto const& [id, server] : turn.fleet().servers)
        if (std::ranges::count(server.config.tags, *command.tag) > 0)
            tagged.push_back(&server);
    std::ranges::sort(tagged, {}, [](auto const* server) { return server->config.name; });
    std::vector<core::ServerId> ids;
    for (auto const* server : tagged)
        ids.push_back(server->id);
    return ids;
}

/// Whether this many may be switched off at once; a refusal is recorded.
core::Result<void>
check_confirmed(Turn& turn, RequestPowerOfMany const& command, std::size_t servers) {
    auto const step_up = weigh(turn, command.proof);
    if (!step_up)
        return tl::make_unexpected(step_up.error());
    auto fine = command.target == PowerStatus::Off
                    ? core::check_bulk_off(servers, turn.fleet().settings, *step_up)
                    : core::Result<void>{};
    if (fine)
        remember(turn, command.proof);
    else
        turn.record_one({}, core::PowerRefused{command.target, fine.error().code}, command.actor);
    return fine;
}

} // namespace

core::Result<RequestPower::Outcome> decide(Turn& turn, RequestPower const& command) {
    auto const* server = turn.fleet().find(command.server);
    if (!server)
        return core::fail(
            ErrorCode::NotFound, "there is no server " + core::to_string(command.server)
        );
    if (auto fine = check_rollback(turn); !fine)
        return tl::make_unexpected(fine.error());
    core::PowerGuards guards{
        .include_manager = command.include_manager,
        .name_confirmed = command.confirm == server->config.name,
    };
    if (command.target == PowerStatus::Off) {
        guards.own_host = turn.own_host(*server);
        guards.shortage = core::WantedOn(turn.fleet()).shortage(*server);
    }
    return decide_one(turn, *server, command.target, guards, command.actor);
}

core::Result<RequestPowerOfMany::Outcome> decide(Turn& turn, RequestPowerOfMany const& command) {
    if (auto fine = check_rollback(turn); !fine)
        return tl::make_unexpected(fine.error());
    auto const ids = named_servers(turn, command);
    if (auto fine = check_confirmed(turn, command, ids.size()); !fine)
        return tl::make_unexpected(fine.error());

    bool const is_off = command.target == PowerStatus::Off;
    core::WantedOn wanted(turn.fleet());
    RequestPowerOfMany::Outcome outcome;
    for (auto const id : ids) {
        auto const* server = turn.fleet().find(id);
        if (!server) {
            auto error = core::fail(ErrorCode::NotFound, "there is no server " + to_string(id));
            outcome.items.push_back({id, std::move(error)});
            continue;
        }
        core::PowerGuards guards{.include_manager = command.include_manager, .in_bulk = true};
        if (is_off) {
            guards.own_host = turn.own_host(*server);
            guards.shortage = wanted.shortage(*server);
        }
        bool const was_wanted = server->state.power == PowerStatus::On;
        auto one = decide_one(turn, *server, command.target, guards, command.actor);
        if (is_off && was_wanted && one && one->accepted)
            wanted.remove(*server);
        outcome.items.push_back({id, std::move(one)});
    }
    return outcome;
}

} // namespace cpm::manager
