#include "tests/sim/machine.hpp"

#include "tests/sim/world.hpp"

#include <fmt/format.h>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

using std::chrono::duration_cast;

constexpr Time kBootedFor = 15s; ///< CLOCK_BOOTTIME when the agent is started
/// Whoever wakes a machine sooner waits for it to be asleep. Of less than 100 ms no agent can know
/// (agent::ResumeCounter).
constexpr Time kShortestSleep = 500ms;

} // namespace

Machine::Machine(World& world, Build const& build)
    : world_(world)
    , build_(build) {}

void Machine::join(
    core::ServerId server, core::Hash const& credential, std::string const& order_key
) {
    joined_ = Joined{server, credential, agent::OrderKey::parse(order_key).value(), std::nullopt};
    marker_.reset();
    agent_.reset();
    resumes_ = 0; // nothing is known of those before
    looked_ = true;
    world_.judge().joined(*this);
    if (is_up() || power_ == Power::Suspended) // then it begins when it goes on
        start_agent();
}

std::string Machine::address() const {
    return fmt::format("10.0.{}.{}", build_.segment, build_.number % 200 + 10);
}

void Machine::later(Time delay, std::function<void()> what) {
    world_.schedule().after(delay, [this, life = life_, what = std::move(what)]() mutable {
        if (life != life_)
            return;
        if (is_frozen())
            waiting_.push_back(std::move(what));
        else
            what();
    });
}

void Machine::thaw() {
    auto const waiting = std::exchange(waiting_, {});
    for (auto const& what : waiting)
        later(0s, what);
    if (agent_)
        agent_->look_soon();
}

agent::Clocks Machine::clocks() const {
    auto const up = world_.schedule().now() - booted_at_ + kBootedFor;
    return {
        .boottime = duration_cast<agent::microseconds>(up),
        .monotonic = duration_cast<agent::microseconds>(up - slept_),
    };
}

Time Machine::time_of(agent::microseconds boottime) const {
    return booted_at_ + boottime - kBootedFor;
}

// --- power

void Machine::lose_power() {
    ++life_;
    power_ = Power::Off;
    agent_.reset();
    marker_.reset(); // /run does not outlive a boot
    waiting_.clear();
    hung_ = false;
    leaving_ = agent::Leaving::No;
    world_.journal().tell("m{} is off", build_.number);
    world_.judge().changed(*this);
}

void Machine::boot(bool late) {
    if (power_ != Power::Off)
        return;
    ++life_;
    power_ = Power::Booting;
    auto const takes = late ? build_.boot_time + 400s : build_.boot_time;
    world_.journal().tell("m{} boots", build_.number);
    world_.schedule().after(takes, [this, life = life_] {
        if (life != life_)
            return;
        power_ = Power::Running;
        booted_at_ = world_.schedule().now();
        slept_ = {};
        resumes_ = 0;
        looked_ = true;
        auto& dice = world_.dice(Chance::Machines);
        auto const high = dice.next();
        auto const low = dice.next();
        boot_id_ = fmt::format(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffffffffffff
        );
        world_.journal().tell("m{} is up, boot {}", build_.number, boot_id_.substr(0, 8));
        world_.judge().changed(*this);
        start_agent();
    });
}

void Machine::start_agent() {
    if (!joined_)
        return;
    agent_ = std::make_unique<AgentProcess>(*this);
    world_.judge().agent_begins(*this);
    world_.judge().changed(*this);
    later(0s, [this, agent = agent_.get()] {
        if (agent == agent_.get())
            agent->begin();
    });
}

void Machine::restart_agent() {
    if (!agent_ || power_ != Power::Running || is_frozen())
        return;
    marker_ = agent_->marker();
    agent_.reset();
    later(Time(world_.dice(Chance::Machines).between(1'000'000, 6'000'000'000)), [this] {
        if (!agent_ && power_ == Power::Running)
            start_agent();
    });
}

/// Its system goes down; its agent is told some time within.
void Machine::shut_down(Time within, std::function<void()> then) {
    power_ = Power::GoingDown;
    auto const way = leaving_;
    leaving_ = agent::Leaving::No; // seen only by a process that is being stopped
    later(within / 4, [this, way] {
        leaving_ = way;
        if (agent_ && agent_->stop())
            later(10ms, [this] { world_.judge().goes_down(*this); });
    });
    later(within, std::move(then));
}

void Machine::press_button() {
    if (power_ == Power::Off)
        boot();
    else if (power_ == Power::Suspended)
        resume();
    else if (power_ == Power::Running && !hung_) {
        leaving_ = agent::Leaving::PowerOff;
        shut_down(build_.stop_time, [this] { lose_power(); });
    }
}

void Machine::power_cut() {
    if (power_ != Power::Off)
        lose_power();
}

void Machine::reboot() {
    if (power_ != Power::Running || hung_)
        return;
    leaving_ = agent::Leaving::Reboot;
    shut_down(build_.stop_time, [this] {
        lose_power();
        boot();
    });
}

void Machine::hear_packet() {
    if (!build_.armed)
        return;
    if (power_ == Power::Off)
        boot(world_.happens(Fault::BootedLate, 20'000));
    else if (power_ == Power::Suspended)
        resume();
}

void Machine::hang(Time length) {
    if (power_ != Power::Running || hung_)
        return;
    hung_ = true;
    world_.judge().changed(*this);
    world_.schedule().after(length, [this, life = life_, number = ++hangs_] {
        if (life != life_ || number != hangs_ || !hung_)
            return;
        hung_ = false;
        world_.judge().changed(*this);
        if (!is_frozen())
            thaw();
    });
}

void Machine::suspend() {
    if (power_ != Power::Running || hung_)
        return;
    leaving_ = agent::Leaving::Suspend;
    if (agent_)
        agent_->look_soon();
    later(Time(world_.dice(Chance::Machines).between(200'000'000, 3'000'000'000)), [this] {
        if (power_ != Power::Running)
            return;
        power_ = Power::Suspended;
        asleep_since_ = world_.schedule().now();
        world_.journal().tell("m{} sleeps", build_.number);
        world_.judge().changed(*this);
    });
}

void Machine::resume() {
    if (power_ != Power::Suspended)
        return;
    auto const slept = world_.schedule().now() - asleep_since_;
    if (slept < kShortestSleep) {
        world_.schedule().after(kShortestSleep - slept, [this, life = life_] {
            if (life == life_)
                resume();
        });
        return;
    }
    world_.journal().fault(Fault::Resumed, "m{}", build_.number);
    power_ = Power::Running;
    slept_ += slept;
    leaving_ = agent::Leaving::No;
    if (std::exchange(looked_, false))
        ++resumes_;
    world_.judge().changed(*this);
    if (!is_frozen())
        thaw();
}

void Machine::go_down(agent::OffMethod method) {
    if (power_ != Power::Running)
        return;
    world_.journal().tell("m{} goes down as ordered", build_.number);
    world_.journal().effect(build_.number + 1'000'000);
    if (method != agent::OffMethod::PowerOff) {
        suspend();
        return;
    }
    leaving_ = agent::Leaving::PowerOff;
    shut_down(build_.stop_time, [this] { lose_power(); });
}

void Machine::set_hold(std::string text) {
    hold_ = std::move(text);
    if (agent_)
        agent_->look_soon();
}

} // namespace cpm::sim
