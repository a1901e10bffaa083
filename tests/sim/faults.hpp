#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cpm::sim {

/// What goes wrong in a world. A run counts how often each did.
enum class Fault : std::uint8_t {
    // the network
    PacketLost,
    PacketDuplicated,
    PacketReordered, ///< one overtook another of the same agent
    PacketDelayed,
    OneWayPartition,
    HalfOpen,       ///< a connection that only one side knows to be dead
    AnswerReplayed, ///< an answer of before, in the place of the one that was asked for
    WakeLost,
    // the manager's process and its host
    Killed,
    KilledInAppend, ///< between the decision and its answer
    KilledTwice,    ///< again within seconds
    KilledInRecovery,
    HostCrashed,
    Paused,
    WallStepped,
    // its disk
    SyncFailed,
    DiskFull,
    TailLost, ///< what a crash left un-synced, and had been appended
    TailTorn, ///< the same, half of it on the disk
    SlowDisk,
    OldCopy,     ///< an older copy of the data directory was put back
    LogCutShort, ///< the log alone lost its end: the disk had lied about a sync
    // agents and machines
    AgentRestarted,
    AgentCloned,
    ReportReplayed, ///< a heartbeat of before came again
    MachineHung,
    MachineRebooted,
    PowerCut,
    BootedLate,
    WokeByItself,
    Resumed,
    HookFailed,
    ActRefused, ///< the system would not go down
    Held,       ///< the owner's veto
    // the manager's snapshots
    SnapshotTorn,       ///< cut off, or another bit in it
    SnapshotLost,       ///< the newest is gone, an older one is there
    SnapshotsOfAnother, ///< of a longer log: an older copy of it was put back beside them
    Compacted,          ///< no fault: a run of heartbeats was deleted
    OrderForged, ///< somebody on the way, who has no key, answers OFF to all questions for a while
};
inline constexpr std::size_t kFaults = 39;

constexpr std::array<std::string_view, kFaults> kFaultNames{
    "packet lost",
    "packet duplicated",
    "packet reordered",
    "packet delayed",
    "one-way partition",
    "half-open connection",
    "answer replayed",
    "wake lost",
    "manager killed",
    "manager killed in an append",
    "manager killed twice",
    "manager killed in recovery",
    "manager's host crashed",
    "manager paused",
    "wall clock stepped",
    "sync failed",
    "disk full",
    "tail lost",
    "tail torn",
    "slow disk",
    "older copy put back",
    "log cut short",
    "agent restarted",
    "agent cloned",
    "report replayed",
    "machine hung",
    "machine rebooted",
    "power cut",
    "booted late",
    "woke by itself",
    "resumed",
    "hook failed",
    "act refused",
    "held by its owner",
    "snapshot torn",
    "snapshot lost",
    "snapshots of a longer log",
    "heartbeats compacted away",
    "order forged",
};

constexpr std::string_view to_string(Fault fault) {
    return kFaultNames[static_cast<std::size_t>(fault)];
}

/// Which faults may happen.
class FaultSet {
  public:
    static constexpr FaultSet all() { return FaultSet{(std::uint64_t{1} << kFaults) - 1}; }
    static constexpr FaultSet none() { return FaultSet{0}; }
    explicit constexpr FaultSet(std::uint64_t bits)
        : bits_(bits) {}

    constexpr bool has(Fault fault) const { return (bits_ >> static_cast<unsigned>(fault)) & 1U; }
    constexpr FaultSet without(Fault fault) const {
        return FaultSet{bits_ & ~(std::uint64_t{1} << static_cast<unsigned>(fault))};
    }
    constexpr std::uint64_t bits() const { return bits_; }

  private:
    std::uint64_t bits_;
};

using FaultCounts = std::array<std::uint64_t, kFaults>;

} // namespace cpm::sim
