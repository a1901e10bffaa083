#include "tests/sim/agent_process.hpp"

#include "tests/sim/machine.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

constexpr Time kTick = 1s;
constexpr Time kCallLimit = 10s;
constexpr Time kGoodbyeLimit = 3s;
constexpr Time kHeadPause = 10min;

/// Of another boot nothing is known of resumes (agent/loop.cpp).
agent::ResumeCounter resume_counter(Machine& machine) {
    auto const& marker = machine.marker();
    if (!marker || marker->memory.identity.boot_id != machine.boot_id())
        return agent::ResumeCounter(machine.clocks());
    agent::ResumeCounter counter(marker->memory.identity.resume_count, marker->suspended);
    counter.look(machine.clocks());
    return counter;
}

agent::Memory memory_of(Machine& machine) {
    auto memory = machine.marker() ? machine.marker()->memory : agent::Memory{};
    if (!memory.head)
        memory.head = machine.joined()->head;
    return memory;
}

} // namespace

wol::WakeResult AgentProcess::Sender::send(wol::WakeTarget const& target) {
    machine.world().judge().relays(machine, target.mac);
    machine.world().send_packet(target.mac, machine.build().segment);
    return "UDP 255.255.255.255 port 9";
}

AgentProcess::AgentProcess(Machine& machine)
    : machine_(machine)
    , sender_(machine)
    , report_([&machine](std::string_view line) {
        machine.world().journal().tell("m{} agent: {}", machine.build().number, line);
    })
    , relay_(sender_, report_)
    , resumes_(resume_counter(machine))
    , conduct_(
          core::to_string(machine.joined()->server),
          machine.joined()->key,
          {machine.boot_id(), resumes_.count()},
          memory_of(machine),
          false
      ) {
    // logind is asked whether the machine still goes down, and says so.
    if (conduct_.memory().said == agent::Memory::Said::Acted)
        later(2s, [this] {
            if (machine_.power() == Machine::Power::Running)
                act_was_cancelled();
        });
}

AgentProcess::~AgentProcess() = default;

Marker AgentProcess::marker() const {
    return {conduct_.memory(), resumes_.suspended()};
}

void AgentProcess::later(Time delay, std::function<void()> what) {
    machine_.later(delay, [what = std::move(what), lives = std::weak_ptr(lives_)] {
        if (!lives.expired())
            what();
    });
}

agent::Observation AgentProcess::observe() {
    auto const clocks = machine_.clocks();
    resumes_.look(clocks);
    machine_.look();
    agent::Observation seen{
        .boottime = clocks.boottime,
        .identity = {machine_.boot_id(), resumes_.count()},
        .blocked_by = machine_.hold(),
        .leaving = machine_.leaving(),
    };
    machine_.world().dice(Chance::Agents).fill(seen.random);
    return seen;
}

void AgentProcess::go_on() {
    if (calling_)
        return;
    ++rests_;
    for (int steps = 0;; ++steps) {
        if (steps > 100)
            violated(Invariant::Runs, "an agent spins");
        if (stopping_ && (machine_.leaving() == agent::Leaving::No || conduct_.said_goodbye()))
            return; // run() has returned
        asked_with_ = observe();
        auto step = conduct_.next(asked_with_);
        if (machine_.world().journal().tells())
            for (auto const& finding : conduct_.take_findings())
                report_(finding);
        if (auto* heartbeat = std::get_if<agent::SendHeartbeat>(&step)) {
            heartbeat->report.woke = relay_.woke();
            Request request{
                .address = machine_.address(), .question = std::move(heartbeat->report)};
            call(std::move(request), stopping_ ? kGoodbyeLimit : kCallLimit, false);
            return;
        }
        if (auto* hold = std::get_if<agent::HoldManifest>(&step)) {
            auto const limit = hold->question.wait + kCallLimit;
            Request request{.address = machine_.address(), .question = std::move(hold->question)};
            call(std::move(request), limit, true);
            return;
        }
        if (auto const* rest = std::get_if<agent::Rest>(&step)) {
            auto const until = machine_.time_of(rest->until) - machine_.world().schedule().now();
            later(std::max(until, Time(1us)), [this, number = rests_] {
                if (number == rests_)
                    go_on();
            });
            return;
        }
        if (std::holds_alternative<agent::RunHooks>(step))
            run_hooks();
        else
            act(std::get<agent::Act>(step).method);
    }
}

// --- calls

void AgentProcess::call(Request&& request, Time limit, bool held) {
    calling_ = true;
    holding_ = held;
    cut_ = false;
    auto const number = ++calls_;
    call_ends_ = machine_.world().schedule().now() + limit;
    request.server = machine_.joined()->server;
    request.credential = machine_.joined()->credential;
    machine_.world().send(
        machine_,
        std::move(request),
        [this, number, lives = std::weak_ptr(lives_)](std::shared_ptr<Reply const> const& reply) {
            if (!lives.expired())
                take(number, reply);
        }
    );
    watch_call();
}

/// One look at the limit at a time, whatever the number of calls.
void AgentProcess::watch_call() {
    if (watching_)
        return;
    watching_ = true;
    auto const left = call_ends_ - machine_.world().schedule().now();
    later(std::max(left, Time(1us)), [this] {
        watching_ = false;
        if (!calling_)
            return; // the next call watches anew
        if (machine_.world().schedule().now() >= call_ends_)
            fail(calls_, "no answer in time");
        else
            watch_call();
    });
}

void AgentProcess::take(std::uint64_t call, std::shared_ptr<Reply const> const& reply) {
    if (!calling_ || call != calls_)
        return; // the connection was closed meanwhile
    auto& judge = machine_.world().judge();
    if (!cut_)
        judge.asked_to_relay(machine_, *reply, holding_);
    if (!cut_ && asked_with_.identity.resume_count == machine_.resumes())
        judge.heard(machine_, *reply); // else it is thrown away
    end_call(outcome_of(*reply));
}

void AgentProcess::fail(std::uint64_t call, std::string why) {
    if (calling_ && call == calls_)
        end_call(agent::Failure{.kind = {}, .detail = std::move(why)});
}

void AgentProcess::end_call(agent::Outcome const& outcome) {
    calling_ = false;
    bool const held = std::exchange(holding_, false);
    if (std::exchange(cut_, false)) {
        conduct_.cut();
    } else {
        conduct_.answered(observe(), outcome);
        if (auto const* answer = std::get_if<agent::Answer>(&outcome)) {
            if (!held)
                relay_.acknowledged();
            if (relay_.take(answer->wake))
                conduct_.report_soon();
            epoch_ = std::max(epoch_, answer->head.epoch);
            keep_head();
        }
    }
    go_on();
}

/// As agent::Loop: at another epoch at once, else rarely, for the disk's sake.
void AgentProcess::keep_head() {
    auto const& kept = machine_.joined()->head;
    auto const now = machine_.world().schedule().now();
    if (kept && kept->epoch == epoch_ && now - head_kept_ <= kHeadPause)
        return;
    head_kept_ = now;
    machine_.keep_head(conduct_.memory().head);
}

void AgentProcess::wake() {
    if (!calling_) {
        go_on();
        return;
    }
    if (!holding_ || cut_)
        return;
    cut_ = true;
    cut_call();
}

void AgentProcess::cut_call() {
    if (calling_)
        later(1ms, [this, number = calls_] { fail(number, "cut"); });
}

// --- what the machine does meanwhile

void AgentProcess::look_soon() {
    if (looking_)
        return;
    looking_ = true;
    auto const phase = machine_.world().schedule().now() % kTick;
    later(kTick - phase, [this] {
        looking_ = false;
        tick();
    });
}

void AgentProcess::tick() {
    if (stopping_)
        return;
    auto const seen = observe();
    if (seen.identity != asked_with_.identity)
        cut_call();
    if (seen.identity != asked_with_.identity || seen.blocked_by != asked_with_.blocked_by ||
        seen.leaving != asked_with_.leaving)
        wake();
}

void AgentProcess::act_was_cancelled() {
    conduct_.act_failed(observe(), "cancelled");
    wake();
}

bool AgentProcess::stop() {
    stopping_ = true;
    asked_with_ = observe();
    bool const may_speak = !calling_ || holding_;
    wake();
    return may_speak;
}

void AgentProcess::run_hooks() {
    auto& world = machine_.world();
    auto const length = machine_.build().hook_time;
    bool const fails = world.may(Fault::HookFailed, 30'000);
    later(length, [this, fails] {
        if (fails)
            machine_.world().journal().fault(Fault::HookFailed, "m{}", machine_.build().number);
        machine_.world().judge().hooks_ended(machine_, !fails);
        conduct_.hooks_ended(observe(), fails ? "10-save.required" : "");
        wake();
    });
}

/// What may still come between an order and its act.
void AgentProcess::meet_trouble() {
    auto& world = machine_.world();
    auto& dice = world.dice(Chance::Acts);
    auto const number = machine_.build().number;
    if (world.may(Fault::Held, Chance::Acts, 30'000)) {
        world.journal().fault(Fault::Held, "m{}, at the last moment", number);
        machine_.set_hold("hold: not now");
    }
    if (world.may(Fault::MachineHung, Chance::Acts, 30'000)) {
        world.journal().fault(Fault::MachineHung, "m{}, at the last moment", number);
        machine_.hang(std::chrono::seconds(dice.between(1, 200)));
    }
}

void AgentProcess::act(agent::OffMethod method) {
    auto& world = machine_.world();
    auto const pause = Time(world.dice(Chance::Machines).between(100'000, 40'000'000));
    bool const refuses = world.may(Fault::ActRefused, 30'000);
    meet_trouble();
    later(pause, [this, method, refuses] {
        if (!conduct_.may_act(observe())) {
            wake();
            return;
        }
        if (refuses) {
            machine_.world().journal().fault(Fault::ActRefused, "m{}", machine_.build().number);
            conduct_.act_failed(observe(), "logind refused");
        } else {
            machine_.world().judge().acted(machine_, conduct_.memory().request, method);
            machine_.go_down(method);
        }
        wake();
    });
}

} // namespace cpm::sim
