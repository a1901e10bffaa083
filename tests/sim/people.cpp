#include "tests/sim/people.hpp"

#include "manager/fleet_commands.hpp"
#include "manager/people_commands.hpp"
#include "manager/power_commands.hpp"
#include "manager/wake_commands.hpp"
#include "tests/sim/world.hpp"

#include <fmt/format.h>

namespace cpm::sim {
namespace {

using core::PowerStatus;

core::Actor const kAlice{core::ActorKind::User, "alice"};
constexpr std::size_t kRemembered = 8;

manager::IdempotencyKey key_of(std::string const& key, core::ServerId server, PowerStatus target) {
    return {
        "user:alice",
        key,
        manager::hash_secret(fmt::format("{} {}", core::to_string(server), core::to_string(target))
        ),
    };
}

/// RequestPower, and the judge hears in the round what came of it.
struct AskPower {
    using Outcome = manager::RequestPower::Outcome;
    static constexpr bool kRefusedFirst = manager::RequestPower::kRefusedFirst;
    manager::RequestPower command;
    Judge const* judge;
};

core::Result<AskPower::Outcome> decide(manager::Turn& turn, AskPower const& ask) {
    auto told = manager::decide(turn, ask.command);
    if (told && !told->accepted)
        ask.judge->told_unchanged(turn, ask.command.server, ask.command.target);
    return told;
}

manager::Answer render(manager::Turn const& /*turn*/, AskPower::Outcome&& outcome) {
    auto const body = fmt::format(
        R"({{"outcome":"{}","sequence":{}}})",
        outcome.accepted ? "accepted" : "unchanged",
        outcome.sequence.value
    );
    return {.status = outcome.accepted ? 202 : 200, .body = body, .remembered = body};
}

/// Of an answer that says "accepted"; else none.
core::Sequence sequence_in(std::string const& body) {
    if (body.find("accepted") == body.npos)
        return {};
    return {std::stoull(body.substr(body.rfind(':') + 1))};
}

} // namespace

void People::come(Time end) {
    end_ = end;
    next();
}

void People::next() {
    auto& dice = world_.dice(Chance::People);
    auto const pause = dice.between(2'000, 180'000) * 100 / std::max(world_.options().trouble, 1U);
    world_.schedule().after(std::chrono::milliseconds(pause), [this] {
        if (world_.schedule().now() >= end_)
            return;
        press();
        next();
    });
}

void People::press() {
    auto& dice = world_.dice(Chance::People);
    auto const what = dice.below(100);
    if (what < 50) {
        auto const server = any_server();
        if (server)
            ask({fmt::format("key{}", ++keys_), server, any_target(server)});
    } else if (what < 60)
        ask_many();
    else if (what < 70)
        ask_again();
    else if (what < 75)
        change_setting();
    else if (what < 80)
        wake();
    else if (what < 90)
        press_case();
    else
        hold();
    if (dice.percent(50))
        administer();
}

core::ServerId People::any_server() {
    auto& machines = world_.machines();
    auto const& machine = *machines[world_.dice(Chance::People).below(machines.size())];
    return machine.joined() ? machine.joined()->server : core::ServerId{};
}

/// Mostly what is not so already.
PowerStatus People::any_target(core::ServerId server) {
    auto const* service = world_.manager().service();
    auto const* known = service ? service->fleet().find(server) : nullptr;
    bool const off = known && known->state.power == PowerStatus::On;
    bool const usual = world_.dice(Chance::People).percent(85);
    return off == usual ? PowerStatus::Off : PowerStatus::On;
}

void People::ask(Wish const& wish) {
    wishes_.push_back(wish);
    if (wishes_.size() > kRemembered)
        wishes_.pop_front();
    if (!world_.manager().is_serving())
        return;
    // What is asked in a round whose sync fails must be taken back.
    if (world_.may(Fault::SyncFailed, 20'000))
        world_.manager().fail_next_sync();
    else if (world_.may(Fault::KilledInAppend, 10'000))
        world_.manager().kill_in_append();
    auto* service = world_.manager().service();
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = wish.server;
    command.target = wish.target;
    auto const asked = world_.manager().clock().now().wall;
    world_.judge().asked_with_key(asked);
    service->submit(
        manager::Rendered<AskPower>{
            {command, &world_.judge()}, key_of(wish.key, wish.server, wish.target), render},
        [this, service, wish, asked](core::Result<manager::Answer>&& told) {
            service->then([this, wish, asked, told = std::move(told)] {
                auto& journal = world_.journal();
                journal.tell(
                    "alice: {} {} ({}): {}",
                    core::to_string(wish.target),
                    core::to_string(wish.server),
                    wish.key,
                    told ? told->body : told.error().detail
                );
                journal.effect(told ? told->body : told.error().detail);
                if (!told)
                    return;
                world_.judge().told_person(
                    wish.key, told->body, wish.server, wish.target, sequence_in(told->body)
                );
                world_.judge().told_with_key(asked);
            });
        }
    );
}

void People::ask_again() {
    if (wishes_.empty())
        return;
    auto const wish = wishes_[world_.dice(Chance::People).below(wishes_.size())];
    ask(wish);
}

void People::ask_many() {
    if (!world_.manager().is_serving())
        return;
    auto& dice = world_.dice(Chance::People);
    auto* service = world_.manager().service();
    manager::RequestPowerOfMany command;
    command.actor = kAlice;
    command.target = dice.percent(50) ? PowerStatus::Off : PowerStatus::On;
    command.tag = dice.percent(50) ? "even" : "odd";
    if (dice.percent(80))
        command.proof.count = (world_.plan().servers.size() + (*command.tag == "even" ? 1 : 0)) / 2;
    service->submit(
        command,
        [this, service, command](core::Result<manager::RequestPowerOfMany::Outcome>&& told) {
            service->then([this, command, told = std::move(told)] {
                world_.journal().tell(
                    "alice: {} for all that are {}: {}",
                    core::to_string(command.target),
                    *command.tag,
                    told ? "done" : told.error().detail
                );
                if (!told)
                    return;
                for (auto const& item : told->items)
                    if (item.outcome && item.outcome->accepted)
                        world_.judge().told_person(
                            fmt::format("many{}", ++keys_),
                            "",
                            item.server,
                            command.target,
                            item.outcome->sequence
                        );
            });
        }
    );
}

void People::change_setting() {
    if (!world_.manager().is_serving())
        return;
    auto& dice = world_.dice(Chance::People);
    core::SettingChange change;
    if (dice.percent(40))
        change = {"standby_time_seconds", fmt::to_string(dice.between(20, 900))};
    else if (dice.percent(50))
        change = {"missed_heartbeats", fmt::to_string(dice.between(1, 5))};
    else
        change = {"release_standby_when_settled", dice.percent(50) ? "true" : "false"};
    world_.journal().tell("alice: {} = {}", change.first, change.second);
    world_.manager().service()->submit(
        manager::ChangeSettings{kAlice, {change}, {}}, [](core::Result<manager::Recorded>&&) {}
    );
}

void People::wake() {
    auto const server = any_server();
    if (world_.manager().is_serving() && server)
        world_.manager().service()->submit(
            manager::WakeServer{kAlice, server}, [](core::Result<manager::WakeServer::Outcome>&&) {}
        );
}

void People::press_case() {
    auto& dice = world_.dice(Chance::People);
    auto& machines = world_.machines();
    auto& machine = *machines[dice.below(machines.size())];
    world_.journal().tell("somebody presses the button of m{}", machine.build().number);
    if (machine.is_hung())
        machine.power_cut();
    else
        machine.press_button();
}

void People::hold() {
    auto& machines = world_.machines();
    auto& machine = *machines[world_.dice(Chance::People).below(machines.size())];
    if (!machine.hold().empty())
        machine.set_hold("");
    else if (world_.happens(Fault::Held, 500'000))
        machine.set_hold("hold: a long computation");
}

void People::administer() {
    if (!world_.manager().is_serving())
        return;
    auto* service = world_.manager().service();
    if (service->engine().readiness() == manager::Readiness::RolledBack) {
        world_.journal().tell("alice accepts the rollback");
        service->submit(manager::AcceptRollback{kAlice}, [](core::Result<manager::Recorded>&&) {});
    }
    for (std::size_t i = 0; i < world_.plan().machines.size(); ++i) {
        auto& machine = *world_.machines()[i];
        auto const* server =
            machine.joined() ? service->fleet().find(machine.joined()->server) : nullptr;
        if (!server || !machine.is_up())
            continue;
        bool const reinstalled = !world_.is_calm() && world_.dice(Chance::People).percent(1);
        bool const is_unknown = !service->knows(server->id, machine.joined()->credential);
        bool const rejoins = world_.is_calm() || world_.dice(Chance::People).percent(50);
        if (is_unknown || reinstalled || (server->state.set_aside && rejoins))
            join(machine, server->id);
        else if (server->state.set_aside)
            service->submit(
                manager::ReinstateAgent{kAlice, server->id},
                [](core::Result<manager::ReinstateAgent::Outcome>&&) {}
            );
    }
}

void People::join(Machine& machine, core::ServerId server) {
    auto* service = world_.manager().service();
    auto const spend = [this, service, &machine](std::string const& token) {
        manager::JoinAgent command;
        command.join_token = token;
        command.machine = {"host", {machine.build().mac}};
        command.address = machine.address();
        service->submit(
            command,
            [this, service, &machine](core::Result<manager::JoinAgent::Outcome>&& told) {
                service->then([this, &machine, told = std::move(told)] {
                    world_.journal().tell(
                        "m{} joins: {}", machine.build().number, told ? "done" : told.error().detail
                    );
                    if (told)
                        machine.join(
                            told->server,
                            manager::hash_secret(told->agent_token),
                            the_keys().order_key()
                        );
                });
            }
        );
    };
    service->submit(
        manager::CreateJoinToken{kAlice, server, false},
        [service, spend](core::Result<manager::CreateJoinToken::Outcome>&& told) {
            if (told)
                service->then([spend, token = told->join_token] { spend(token); });
        }
    );
}

} // namespace cpm::sim
