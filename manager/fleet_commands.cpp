#include "manager/fleet_commands.hpp"

#include "core/decide_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::manager {
namespace {

core::Result<core::Server const*> find(Turn const& turn, core::ServerId id) {
    if (auto const* server = turn.fleet().find(id))
        return server;
    return core::fail(core::ErrorCode::NotFound, "there is no server " + to_string(id));
}

core::Result<void> match(core::Server const& server, std::optional<core::Sequence> if_match) {
    if (!if_match || *if_match == server.configured)
        return {};
    return core::fail(
        core::ErrorCode::Stale,
        fmt::format("{} was changed meanwhile: read it again", server.config.name)
    );
}

core::Result<void> check_wake_password(std::optional<std::string> const& hex) {
    if (!hex || hex->empty() || is_wake_password(*hex))
        return {};
    return core::invalid("wake.secure_on", "must be 4 or 6 bytes in hexadecimal digits");
}

void keep_wake_password(Turn& turn, core::ServerId server, std::optional<std::string> const& hex) {
    if (!hex)
        return;
    turn.change(hex->empty() ? remove_wake_password(server) : put(WakePassword{server, *hex}));
}

} // namespace

core::Result<AddServer::Outcome> decide(Turn& turn, AddServer const& command) {
    if (auto fine = core::check_config(turn.fleet(), {}, command.config); !fine)
        return tl::make_unexpected(fine.error());
    if (auto fine = check_wake_password(command.secure_on); !fine)
        return tl::make_unexpected(fine.error());
    auto id = make_server_id(turn.random());
    while (turn.fleet().find(id))
        id = make_server_id(turn.random());
    auto const sequence = turn.record_one(id, core::ServerAdded{command.config}, command.actor);
    keep_wake_password(turn, id, command.secure_on);
    return AddServer::Outcome{id, sequence};
}

core::Result<UpdateServer::Outcome> decide(Turn& turn, UpdateServer const& command) {
    auto const server = find(turn, command.server);
    if (!server)
        return tl::make_unexpected(server.error());
    if (auto fine = match(**server, command.if_match); !fine)
        return tl::make_unexpected(fine.error());
    auto config = (*server)->config;
    command.edit(config);
    if (auto fine = core::check_config(turn.fleet(), command.server, config); !fine)
        return tl::make_unexpected(fine.error());
    if (auto fine = check_wake_password(command.secure_on); !fine)
        return tl::make_unexpected(fine.error());
    if (config == (*server)->config && !command.secure_on)
        return UpdateServer::Outcome{};
    auto const sequence =
        turn.record_one(command.server, core::ServerUpdated{std::move(config)}, command.actor);
    keep_wake_password(turn, command.server, command.secure_on);
    return UpdateServer::Outcome{sequence};
}

core::Result<RemoveServer::Outcome> decide(Turn& turn, RemoveServer const& command) {
    auto const server = find(turn, command.server);
    if (!server)
        return tl::make_unexpected(server.error());
    if (auto fine = match(**server, command.if_match); !fine)
        return tl::make_unexpected(fine.error());
    if ((*server)->state.actual != core::ActualStatus::Off && !command.force)
        return core::fail(
            core::ErrorCode::Conflict,
            fmt::format(
                "{} is not OFF: add ?force=true to remove it all the same", (*server)->config.name
            )
        );
    auto const sequence = turn.record_one(command.server, core::ServerRemoved{}, command.actor);
    turn.change(remove_wake_password(command.server));
    return RemoveServer::Outcome{sequence};
}

core::Result<RequestPower::Outcome> decide(Turn& turn, RequestPower const& command) {
    auto const found = find(turn, command.server);
    if (!found)
        return tl::make_unexpected(found.error());
    auto const& server = **found;
    if (turn.rolled_back())
        return core::fail(
            core::ErrorCode::RolledBack,
            "the event log was rolled back: an administrator accepts this first (POST "
            "/api/v1/rollback/accept)"
        );
    bool const is_off = command.target == core::PowerStatus::Off;
    core::PowerGuards const guards{
        .is_own_host = is_off && turn.is_own_host(server),
        .include_manager = command.include_manager,
        .name_confirmed = command.confirm == server.config.name,
    };
    auto const standby = core::standby_time(server.config, turn.fleet().settings);
    auto decision = core::decide_power(server, command.target, standby, guards);
    if (decision.refusal && decision.refusal->code == core::ErrorCode::StandbyOpen) {
        // Its deadline may have passed and be decided after this: "wait 0 seconds" helps nobody.
        auto const left = std::chrono::ceil<core::seconds>(turn.standby_remaining(server));
        decision.refusal->remaining_seconds = std::max(left, core::seconds{1}).count();
    }
    auto const holds = server.state.request ? server.state.request->sequence : server.changed;
    auto const events = turn.record(command.server, std::move(decision.events), command.actor);
    if (decision.refusal)
        return tl::make_unexpected(std::move(*decision.refusal));
    if (events.empty())
        return RequestPower::Outcome{false, holds};
    return RequestPower::Outcome{true, events.front().sequence};
}

core::Result<CreateJoinToken::Outcome> decide(Turn& turn, CreateJoinToken const& command) {
    auto const server = find(turn, command.server);
    if (!server)
        return tl::make_unexpected(server.error());
    auto secret = make_secret(turn.random(), "cpm_join_");
    JoinToken const token{
        .id = make_id(turn.random(), "join_"),
        .secret = hash_secret(secret),
        .server = command.server,
        .expires_at = turn.now().wall + CreateJoinToken::kLifetime,
        .any_machine = command.any_machine,
    };
    auto const sequence = turn.record_one(
        command.server,
        core::JoinTokenCreated{token.id, token.expires_at, token.any_machine},
        command.actor
    );
    turn.change(put(token));
    return CreateJoinToken::Outcome{std::move(secret), token.expires_at, sequence};
}

core::Result<RevokeAgent::Outcome> decide(Turn& turn, RevokeAgent const& command) {
    auto const server = find(turn, command.server);
    if (!server)
        return tl::make_unexpected(server.error());
    if (!(*server)->agent.enrolled)
        return core::fail(
            core::ErrorCode::NotFound,
            (*server)->config.name + " has no agent whose credential could be revoked"
        );
    auto const sequence = turn.record_one(command.server, core::AgentRevoked{}, command.actor);
    turn.change(remove_agent(command.server));
    return RevokeAgent::Outcome{sequence};
}

core::Result<ReinstateAgent::Outcome> decide(Turn& turn, ReinstateAgent const& command) {
    auto const server = find(turn, command.server);
    if (!server)
        return tl::make_unexpected(server.error());
    if (!(*server)->state.set_aside)
        return core::fail(
            core::ErrorCode::Conflict,
            "the agent of " + (*server)->config.name + " is not set aside"
        );
    return ReinstateAgent::Outcome{
        turn.record_one(command.server, core::AgentReinstated{}, command.actor)};
}

} // namespace cpm::manager
