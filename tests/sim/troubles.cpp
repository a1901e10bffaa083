#include "tests/sim/troubles.hpp"

#include "tests/sim/world.hpp"

namespace cpm::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

} // namespace

void Troubles::begin(Time end) {
    end_ = end;
    next();
}

void Troubles::next() {
    auto const pause = world_.dice(Chance::Troubles).between(1'000, 120'000) * 100 /
                       std::max(world_.options().trouble, 1U);
    world_.schedule().after(milliseconds(pause), [this] {
        if (world_.schedule().now() >= end_)
            return;
        strike();
        next();
    });
}

void Troubles::strike() {
    auto const where = world_.dice(Chance::Troubles).below(100);
    if (where < 20)
        strike_manager();
    else if (where < 40)
        strike_disk();
    else if (where < 80)
        strike_machine();
    else
        strike_line();
}

void Troubles::strike_manager() {
    auto& dice = world_.dice(Chance::Troubles);
    auto& manager = world_.manager();
    switch (dice.below(8)) {
    case 0:
        if (world_.happens(Fault::Killed, 1'000'000))
            manager.kill();
        return;
    case 1:
        if (world_.may(Fault::KilledInAppend, 1'000'000))
            manager.kill_in_append();
        return;
    case 2:
        if (!world_.happens(Fault::KilledTwice, 1'000'000))
            return;
        manager.kill();
        world_.schedule().after(milliseconds(dice.between(100, 4'000)), [this] {
            if (world_.manager().service())
                world_.manager().kill();
        });
        return;
    case 3:
        if (!world_.may(Fault::KilledInRecovery, 1'000'000) || !manager.service())
            return;
        manager.kill_in_recovery();
        return;
    case 4:
        if (world_.happens(Fault::HostCrashed, 300'000))
            manager.crash_host();
        return;
    case 5:
    case 6:
        if (world_.happens(Fault::Paused, 1'000'000))
            manager.pause(milliseconds(
                dice.percent(50) ? dice.between(50, 4'000) : dice.between(4'000, 200'000)
            ));
        return;
    default:
        if (world_.happens(Fault::WallStepped, 1'000'000))
            manager.step_wall(
                seconds(dice.percent(50) ? dice.between(-30, 30) : dice.between(-40'000, 40'000))
            );
        return;
    }
}

void Troubles::strike_disk() {
    auto& dice = world_.dice(Chance::Troubles);
    auto& manager = world_.manager();
    switch (dice.below(10)) {
    case 0:
    case 1:
        if (world_.may(Fault::SyncFailed, 1'000'000))
            manager.fail_next_sync();
        return;
    case 2:
        if (!world_.happens(Fault::DiskFull, 1'000'000))
            return;
        manager.set_space(
            dice.percent(60) ? ManagerHost::Space::Full : ManagerHost::Space::Reserve
        );
        world_.schedule().after(seconds(dice.between(2, 300)), [this] {
            world_.manager().set_space(ManagerHost::Space::Plenty);
        });
        return;
    case 3:
    case 4:
        if (world_.may(Fault::SlowDisk, 1'000'000)) {
            auto const length = seconds(dice.between(1, 40));
            auto const sync = milliseconds(dice.between(5, dice.percent(30) ? 6'000 : 400));
            manager.slow_down(sync, world_.schedule().now() + length);
        }
        return;
    case 5: manager.take_copy(); return;
    case 6:
        if (world_.may(Fault::OldCopy, 250'000))
            manager.put_copy_back();
        return;
    case 7:
        if (world_.may(Fault::LogCutShort, 250'000))
            manager.cut_log_short();
        return;
    case 8:
        if (world_.may(Fault::SnapshotTorn, 250'000))
            manager.damage_snapshot();
        return;
    default:
        if (world_.may(Fault::SnapshotLost, 250'000))
            manager.lose_snapshots();
        return;
    }
}

void Troubles::strike_machine() {
    auto& dice = world_.dice(Chance::Troubles);
    auto& machines = world_.machines();
    auto& machine = *machines[dice.below(machines.size())];
    auto const number = machine.build().number;
    auto& journal = world_.journal();
    switch (dice.below(7)) {
    case 0:
        if (machine.agent() && world_.may(Fault::AgentRestarted, 1'000'000)) {
            journal.fault(Fault::AgentRestarted, "m{}", number);
            machine.restart_agent();
        }
        return;
    case 1:
        if (world_.may(Fault::AgentCloned, 300'000))
            clone();
        return;
    case 2:
        if (machine.power() == Machine::Power::Running && world_.may(Fault::MachineHung, 700'000)) {
            journal.fault(Fault::MachineHung, "m{}", number);
            machine.hang(seconds(dice.between(1, 400)));
        }
        return;
    case 3:
        if (machine.power() == Machine::Power::Running &&
            world_.may(Fault::MachineRebooted, 1'000'000)) {
            journal.fault(Fault::MachineRebooted, "m{}", number);
            machine.reboot();
        }
        return;
    case 4:
        if (machine.power() != Machine::Power::Off && world_.may(Fault::PowerCut, 1'000'000)) {
            journal.fault(Fault::PowerCut, "m{}", number);
            machine.power_cut();
            if (dice.percent(50)) // it was for a moment
                machine.boot();
        }
        return;
    case 5:
        if (machine.power() == Machine::Power::Off && world_.may(Fault::WokeByItself, 600'000)) {
            journal.fault(Fault::WokeByItself, "m{}", number);
            machine.boot();
        }
        return;
    default:
        if (machine.power() == Machine::Power::Suspended)
            machine.resume();
        else if (world_.may(Fault::Resumed, 500'000)) {
            machine.suspend();
            world_.schedule().after(seconds(dice.between(4, 500)), [&machine] {
                machine.resume();
            });
        }
        return;
    }
}

void Troubles::strike_line() {
    auto& dice = world_.dice(Chance::Troubles);
    auto& machines = world_.machines();
    bool const all = dice.percent(15);
    bool const questions = dice.percent(50);
    auto const until = world_.schedule().now() + seconds(dice.between(1, 200));
    auto const one = dice.below(machines.size());
    if (!world_.may(Fault::OneWayPartition, 1'000'000))
        return;
    world_.journal().fault(
        Fault::OneWayPartition,
        "{} of {}",
        questions ? "questions" : "answers",
        all ? "all" : fmt::format("m{}", machines[one]->build().number)
    );
    for (std::size_t i = 0; i < machines.size(); ++i)
        if (all || i == one)
            world_.network().cut(*machines[i], questions, until);
}

/// Somebody copies a disk, and starts another machine with it for a while.
void Troubles::clone() {
    auto& dice = world_.dice(Chance::Troubles);
    auto& machines = world_.machines();
    if (machines.size() >= world_.plan().machines.size() + 2)
        return;
    auto const& of = *machines[dice.below(world_.plan().machines.size())];
    auto build = of.build();
    build.number = machines.size();
    build.mac.bytes[4] = 9;
    build.mac.bytes[5] = static_cast<std::uint8_t>(build.number);
    world_.journal().fault(
        Fault::AgentCloned, "m{} is a clone of m{}", build.number, of.build().number
    );
    auto& copy = world_.add_machine(build);
    copy.copy_disk(of);
    copy.boot();
}

} // namespace cpm::sim
