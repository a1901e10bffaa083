#include "manager/fleet_commands.hpp"

#include "core/decide_fleet.hpp"
#include "manager/accounts_codec.hpp"

#include <fmt/format.h>

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

/// One that is not OFF goes only when that is said, and a session's password says it (HTTP
/// "Guards").
core::Result<void>
check_removal(Turn const& turn, core::Server const& server, RemoveServer const& command) {
    auto const step_up = weigh(turn, command.proof);
    if (!step_up)
        return tl::make_unexpected(step_up.error());
    bool const is_off = server.state.actual == core::ActualStatus::Off;
    if (!is_off && !command.force)
        return core::fail(
            core::ErrorCode::Conflict,
            fmt::format(
                "{} is not OFF: add ?force=true to remove it all the same", server.config.name
            )
        );
    if (is_off && command.proof.password != core::StepUp::Password::Wrong)
        return {};
    return core::check_password(*step_up, "removing a server that is not OFF");
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
    if (auto fine = check_removal(turn, **server, command); !fine)
        return tl::make_unexpected(fine.error());
    remember(turn, command.proof);
    auto const sequence = turn.record_one(command.server, core::ServerRemoved{}, command.actor);
    turn.change(remove_wake_password(command.server));
    return RemoveServer::Outcome{sequence};
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
