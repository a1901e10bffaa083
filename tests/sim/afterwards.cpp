#include "tests/sim/afterwards.hpp"

#include "tests/sim/world.hpp"

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

using enum core::ActualStatus;
using core::HeartbeatStatus;
using core::PowerStatus;
using Power = Machine::Power;

/// What it may take until nothing of the last faults is left (a host that boots, an operator who
/// looks at a log that was cut short, a machine that boots late), and all servers came to rest.
constexpr Time kLongest = 2h;
/// The documented back-off of an agent that was not answered; its last call before it may still run
/// into its limit.
constexpr Time kBackOff = 5min;
constexpr Time kCallLimit = 10s;
/// Packets are on their way, and look() comes once a second.
constexpr Time kSlack = 2s;

std::string describe(Machine const& machine, core::Server const& server) {
    return fmt::format(
        "m{} is {}, and its server, whose power is {}, {}",
        machine.build().number,
        machine.is_up() ? "up" : "down",
        core::to_string(server.state.power),
        core::to_string(server.state.actual)
    );
}

bool is_true_of_up(core::ServerState const& state) {
    if (state.current == HeartbeatStatus::None)
        return false;
    if (state.power == PowerStatus::On) // adopted at the end of an OFF that its owner forbade
        return state.actual == On || state.actual == ManuallyOn;
    // What was ordered is under way, or nobody did it: then the doubt says so.
    if (core::standby_is_open(state))
        return state.actual == BeforeStopping || state.actual == Stopping;
    return state.actual == Unknown || state.actual == ShutdownDelayed;
}

bool is_true_of_down(core::ServerState const& state) {
    if (state.current != HeartbeatStatus::None)
        return false;
    bool const may_start = state.power == PowerStatus::On &&
                           (state.actual == Starting || state.actual == StartupDelayed);
    bool const is_off = state.power == PowerStatus::Off && state.actual == Off;
    return may_start || is_off || state.actual == Crashed || state.actual == Unknown;
}

} // namespace

Afterwards::Quiet& Afterwards::quiet(Machine const& machine) {
    auto const number = machine.build().number;
    if (quiet_.size() <= number)
        quiet_.resize(number + 1);
    return quiet_[number];
}

void Afterwards::begin() {
    began_ = true;
    began_at_ = world_.schedule().now();
    all_anew();
}

void Afterwards::all_anew() {
    // What was sent late is a fault until it has come.
    auto const since = std::max(world_.schedule().now(), world_.network().quiet_from());
    quiet_.assign(world_.machines().size(), {since, std::nullopt});
}

void Afterwards::manager_serves() {
    if (began_)
        all_anew();
}

void Afterwards::changed(Machine const& machine) {
    auto& one = quiet(machine);
    one = {std::max(one.since, world_.schedule().now()), std::nullopt};
}

void Afterwards::asked(Machine const& machine) {
    auto& one = quiet(machine);
    auto const now = world_.schedule().now();
    if (!began_ || one.asked || now < one.since)
        return;
    one.asked = now;
}

bool Afterwards::look(Reading const& reading) {
    auto const now = world_.schedule().now();
    auto const* service = world_.manager().service();
    bool const serves = service && service->is_serving() && !service->is_paused();
    if (!serves)
        all_anew();
    bool at_rest = serves;
    for (std::size_t i = 0; serves && i < world_.plan().machines.size(); ++i)
        at_rest = is_at_rest(*world_.machines()[i], reading) && at_rest;
    if (!at_rest && now - began_at_ > kLongest && now - began_at_ > longest(reading))
        violated(Invariant::EveryRequestEnds, "it does not come to rest");
    return at_rest;
}

/// Of servers that report seldom: their silence comes late, and what people are told after it.
Time Afterwards::longest(Reading const& reading) const {
    Time slowest{};
    for (auto const& [id, server] : reading.fold.servers)
        slowest = std::max<Time>({slowest, reading.second.timeout(id), server.heartbeat_timeout});
    return kLongest + 4 * slowest;
}

bool Afterwards::waits(Machine const& machine, core::Server const& server) const {
    auto const& service = *world_.manager().service();
    return server.state.set_aside || !service.knows(server.id, machine.joined()->credential);
}

bool Afterwards::is_at_rest(Machine const& machine, Reading const& reading) {
    auto const* server = machine.joined()
                             ? world_.manager().service()->fleet().find(machine.joined()->server)
                             : nullptr;
    if (!server)
        return true;
    auto const power = machine.power();
    if (power == Power::GoingDown || (machine.is_up() && waits(machine, *server))) {
        changed(machine);
        return false;
    }
    auto const now = world_.schedule().now();
    auto const& one = quiet(machine);
    if (now < one.since)
        return false;
    if (machine.is_up() && !one.asked) {
        check_ask(machine, reading.second.interval(server->id), one);
        return false;
    }
    auto const since = machine.is_up() ? *one.asked : one.since;
    if (now < since + 3 * timeout(machine, reading) + kSlack)
        return false;
    auto const& state = server->state;
    bool const is_true = machine.is_up() ? is_true_of_up(state) : is_true_of_down(state);
    if (!is_true)
        violated(Invariant::EveryStatusTrue, describe(machine, *server));
    bool const under_way = core::standby_is_open(state) || state.actual == ShutdownDelayed ||
                           state.actual == ManuallyOn;
    return !under_way && power != Power::Booting;
}

/// Of a machine that is down: what the answer to its last heartbeat told.
Time Afterwards::timeout(Machine const& machine, Reading const& reading) const {
    auto const server = machine.joined()->server;
    auto const& silence = reading.books.at(server).silence;
    return !machine.is_up() && silence ? silence->length : reading.second.timeout(server);
}

void Afterwards::check_ask(Machine const& machine, Time interval, Quiet const& one) const {
    auto const waited = world_.schedule().now() - one.since;
    if (waited > std::max(interval, kBackOff) + kCallLimit + kSlack)
        violated(
            Invariant::AgentsAskAgain,
            fmt::format("m{} has not reported for {} s", machine.build().number, waited / 1s)
        );
}

} // namespace cpm::sim
