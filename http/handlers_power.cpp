// What acts on one server's power, or on who speaks for it (HTTP 3.2).
#include "core/assert.hpp"
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/join_line.hpp"
#include "http/own_names.hpp"
#include "http/server_answers.hpp"
#include "manager/fleet_commands.hpp"
#include "manager/power_commands.hpp"
#include "manager/wake_commands.hpp"
#include "projections/json_parts.hpp"

namespace cpm::http {
namespace {

using manager::CreateJoinToken;
using manager::ReinstateAgent;
using manager::RequestPower;
using manager::RevokeAgent;
using manager::WakeServer;

constexpr std::size_t kMaxName = 200;

core::Result<RequestPower> read_power(Request const& request) {
    auto const id = named_server(request);
    if (!id)
        return tl::make_unexpected(id.error());
    return read_fields(read_object(request.body), [&](Fields& fields) {
        RequestPower command;
        command.server = *id;
        if (fields.require("power_status"))
            command.target = fields.parsed("power_status", core::parse_power_status, "ON or OFF")
                                 .value_or(core::PowerStatus::On);
        command.confirm = fields.text("confirm", kMaxName).value_or("");
        command.include_manager = fields.flag("include_manager").value_or(false);
        return command;
    });
}

core::Result<WakeServer> read_wake(Request const& request) {
    auto const id = named_server(request);
    if (!id)
        return tl::make_unexpected(id.error());
    return read_fields(read_optional_object(request.body), [&](Fields& /*none*/) {
        WakeServer command;
        command.server = *id;
        return command;
    });
}

core::Result<CreateJoinToken> read_join_token(Request const& request) {
    auto const id = named_server(request);
    if (!id)
        return tl::make_unexpected(id.error());
    return read_fields(read_optional_object(request.body), [&](Fields& fields) {
        CreateJoinToken command;
        command.server = *id;
        command.any_machine = fields.flag("any_machine").value_or(false);
        return command;
    });
}

} // namespace

HandlerResult request_power(App& app, Request const& request, Caller const& caller) {
    auto command = read_power(request);
    if (!command)
        co_return refused(app, command.error());
    command->actor = caller.actor;
    Render<RequestPower> render =
        [id = command->server](manager::Turn const& turn, RequestPower::Outcome&& outcome) {
            auto const* server = turn.fleet().find(id);
            ASSERT(server);
            return make_answer(
                outcome.accepted ? 202 : 200,
                {{"outcome", outcome.accepted ? "accepted" : "unchanged"},
                 {"server", server_json(turn, *server)},
                 {"sequence", sequence_or_null(outcome.sequence)}}
            );
        };
    co_return co_await answer_change(app, request, caller, std::move(*command), std::move(render));
}

HandlerResult wake_server(App& app, Request const& request, Caller const& caller) {
    auto command = read_wake(request);
    if (!command)
        co_return refused(app, command.error());
    command->actor = caller.actor;
    Render<WakeServer> render = [](manager::Turn const&, WakeServer::Outcome&& outcome) {
        boost::json::array packets;
        for (auto const& sent : outcome.sent)
            packets.push_back(boost::json::object{
                {"mac_address", core::to_string(sent.mac)},
                {"way", sent.way},
                {"ok", sent.ok},
                {"detail", projections::text_or_null(sent.detail)},
            });
        return make_answer(
            200,
            {{"packets", std::move(packets)},
             {"relay", projections::text_or_null(outcome.relay)},
             {"sequence", sequence_or_null(outcome.sequence)}}
        );
    };
    co_return co_await answer_change(app, request, caller, std::move(*command), std::move(render));
}

HandlerResult create_join_token(App& app, Request const& request, Caller const& caller) {
    auto command = read_join_token(request);
    if (!command)
        co_return refused(app, command.error());
    command->actor = caller.actor;
    OwnAddresses const own{
        .public_url = app.config.public_url,
        .https = app.config.https,
        .ca_pin = app.config.ca_pin,
        .lan_address = first_lan_address(),
    };
    auto address = join_address(own, request);
    Render<CreateJoinToken> render =
        [address = std::move(address)](manager::Turn const&, CreateJoinToken::Outcome&& outcome) {
            return make_answer(
                201,
                {{"join_token", outcome.join_token},
                 {"expires_at", core::to_rfc3339(outcome.expires_at)},
                 {"command", join_line(address, outcome.join_token)},
                 {"sequence", sequence_or_null(outcome.sequence)}},
                {"join_token", "command"}
            );
        };
    co_return co_await answer_change(app, request, caller, std::move(*command), std::move(render));
}

HandlerResult revoke_agent(App& app, Request const& request, Caller const& caller) {
    auto const id = named_server(request);
    if (!id)
        co_return refused(app, id.error());
    RevokeAgent command{caller.actor, *id};
    Render<RevokeAgent> render = render_sequence<RevokeAgent>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

HandlerResult reinstate_agent(App& app, Request const& request, Caller const& caller) {
    auto const id = named_server(request);
    if (!id)
        co_return refused(app, id.error());
    ReinstateAgent command{caller.actor, *id};
    Render<ReinstateAgent> render = render_sequence<ReinstateAgent>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

} // namespace cpm::http
