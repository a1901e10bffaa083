#include "tests/sim/world.hpp"

#include "core/hex.hpp"
#include "eventstore/hash.hpp"
#include "manager/fleet_commands.hpp"
#include "manager/people_commands.hpp"

#include <fmt/format.h>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

core::Actor const kAdmin{core::ActorKind::User, "root"};
/// The fleet is set up in the first minutes, while all is calm.
constexpr Time kSetUp = 4min;

template <std::size_t... I>
std::array<Dice, kChances> make_dice(std::uint64_t seed, std::index_sequence<I...>) {
    return {Dice(seed * 64 + I)...};
}

} // namespace

World::World(Options const& options)
    : options_(options)
    , journal_(schedule_, options.tells, options.kept)
    , dice_(make_dice(options.seed, std::make_index_sequence<kChances>()))
    , plan_(make_plan(dice(Chance::Plan), options))
    , judge_(std::make_unique<Judge>(*this))
    , manager_(std::make_unique<ManagerHost>(*this))
    , network_(std::make_unique<Network>(*this))
    , people_(std::make_unique<People>(*this))
    , troubles_(std::make_unique<Troubles>(*this)) {
    for (auto const& build : plan_.machines)
        add_machine(build);
}

World::~World() = default;

Machine& World::add_machine(Machine::Build const& build) {
    machines_.push_back(std::make_unique<Machine>(*this, build));
    return *machines_.back();
}

bool World::may(Fault fault, std::uint32_t in_a_million) {
    return may(fault, Chance::Troubles, in_a_million);
}

bool World::may(Fault fault, Chance by, std::uint32_t in_a_million) {
    return !calm_ && options_.faults.has(fault) && dice(by).in_a_million(in_a_million);
}

bool World::happens(Fault fault, std::uint32_t in_a_million) {
    bool const strikes = may(fault, in_a_million);
    if (strikes)
        journal_.fault(fault, "");
    return strikes;
}

void World::send(Machine& from, Request&& request, ReplyTo reply) {
    judge_->asked(from, request);
    network_->send(from, std::move(request), std::move(reply));
}

void World::send_packet(wol::MacAddress const& mac, std::uint8_t segment) {
    for (auto& machine : machines_) {
        if (machine->build().mac.bytes != mac || machine->build().segment != segment)
            continue;
        if (happens(Fault::WakeLost, 50'000))
            continue;
        schedule_.after(1ms, [&machine = *machine] { machine.hear_packet(); });
    }
}

// --- a run

void World::set_up() {
    auto* service = manager_->service();
    service->submit(
        manager::ChangeSettings{kAdmin, plan_.settings, {}},
        [](core::Result<manager::Recorded>&& done) {
            if (!done)
                violated(Invariant::Runs, "set up: " + done.error().detail);
        }
    );
    for (std::size_t i = 0; i < plan_.servers.size(); ++i) {
        auto& machine = *machines_[i];
        service->submit(
            manager::AddServer{kAdmin, plan_.servers[i], {}},
            [this, service, &machine](core::Result<manager::AddServer::Outcome>&& told) {
                if (!told)
                    violated(Invariant::Runs, "set up: " + told.error().detail);
                service->then([this, &machine, server = told->server] {
                    people_->join(machine, server);
                });
            }
        );
        machine.boot();
    }
}

Result World::run() {
    manager_->start();
    schedule_.after(1s, [this] { set_up(); });
    while (schedule_.step(kSetUp)) {
    }
    auto const end = kSetUp + options_.length;
    calm_ = false;
    people_->come(end);
    troubles_->begin(end);
    while (schedule_.step(end)) {
    }
    settle();
    return result();
}

/// Faults off: everything must come to its end by itself, but for what waits for an administrator.
void World::settle() {
    calm_ = true;
    network_->heal();
    manager_->calm();
    journal_.tell("--- faults end");
    for (auto& machine : machines_)
        if (machine->is_hung() || machine->build().number >= plan_.machines.size())
            machine->power_cut(); // clones, too: of two that speak as one, which would be true?
    judge_->faults_ended();
    for (std::uint64_t second = 0; !judge_->is_at_rest(); ++second) {
        if (second % 60 == 0)
            people_->administer();
        auto const until = schedule_.now() + 1s;
        while (schedule_.step(until)) {
        }
    }
    judge_->compare_replay();
    judge_->check_notifications();
}

Result World::result() {
    auto const head = manager_->disk().head();
    journal_.effect(core::to_hex(head.hash));
    return {
        .faults = journal_.counts(),
        .happenings = schedule_.happened(),
        .acts = judge_->acts(),
        .starts = 0,
        .events = head.sequence.value,
        .sum = fmt::format("{}-{:016x}", core::to_hex(head.hash).substr(0, 16), journal_.sum()),
    };
}

} // namespace cpm::sim
