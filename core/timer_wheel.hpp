// The timer wheel: remembers deadlines, and says which of them are due when it is told the time.
// It reads no clock and knows nothing of what a deadline means (status model 1.5).
#pragma once

#include "core/time.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace cpm::core {

/// Names one scheduling of one timer. No two schedulings share a name, so an id that outlived its
/// timer is harmless. A default-constructed id names no timer.
struct TimerId {
    std::uint32_t place = 0;    ///< where the wheel keeps the timer
    std::uint64_t sequence = 0; ///< counts the schedulings of this wheel, from 1

    friend bool operator==(TimerId const&, TimerId const&) = default;
};

/// Operation: time is cut into ticks of 10 ms. A timer waits for the first tick that does not begin
/// before its deadline. Five levels of 256 slots each hold the waiting timers: level 0 one tick a
/// slot, each further level 256 times as much. A timer's level is the highest byte in which its
/// tick differs from the current one; when the time reaches a slot of a higher level, its timers
/// move down. One bit a slot says whether it is occupied, so that empty time costs nothing however
/// much of it passes at once.
///
/// Concurrency: none of its own; one thread at a time.
///
/// Limitations: the time before the clock's zero counts as its zero. An advance sorts what fires,
/// so it costs n log n of that; schedule and cancel are O(1). Memory follows the largest number of
/// timers that ever waited at once and is not given back.
class TimerWheel {
  public:
    /// The most by which a timer may be later than its deadline, measured by the told time. It is
    /// a tenth of what the status model allows (1.5); the rest is the caller's.
    static constexpr std::chrono::nanoseconds kTick = std::chrono::milliseconds(10);

    /// now: the time at which the wheel starts.
    explicit TimerWheel(MonoTime now);

    /// Has `payload` fired once, when the told time is at or up to kTick after `deadline`. A
    /// deadline that has passed already fires at the next advance. MonoTime::max() never fires.
    TimerId schedule(MonoTime deadline, std::uint64_t payload);

    /// Forgets the timer, also when an advance under way has yet to come to it. Does nothing when
    /// it fired or was cancelled before.
    void cancel(TimerId id);

    /// Tells the time and calls `fired(payload)` for each timer that is due, in the order of their
    /// deadlines, equal ones in the order of scheduling. None fires before its deadline, and of the
    /// deadlines at or before now - kTick none is left. A time before the last one told counts as
    /// that one.
    ///
    /// `fired` may schedule and cancel. What it schedules fires at a later advance, even if it is
    /// due already, so that an advance always ends. If `fired` throws, its own timer counts as
    /// fired, and the others stay due.
    template <typename Fired>
    void advance(MonoTime now, Fired&& fired) {
        collect_due(now);
        while (std::optional<std::uint64_t> const payload = take_due()) {
            fired(*payload);
        }
    }

    /// When to advance next: who does so at each time named here never fires a timer late. Nothing
    /// may be due then (timers of a higher level only move down), at most four times for one timer.
    /// Not after the told time when something is due already; nullopt when no timer waits.
    [[nodiscard]] std::optional<MonoTime> next_due() const;

    /// How many timers wait.
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    using Tick = std::uint64_t;

    static constexpr unsigned kLevels = 5;
    static constexpr unsigned kDigitBits = 8;
    static constexpr std::uint32_t kSlotsPerLevel = 1U << kDigitBits;
    // The slot beside the levels, for deadlines that had passed when they were scheduled.
    static constexpr std::uint32_t kOverdue = kLevels * kSlotsPerLevel;
    static constexpr std::uint32_t kNoSlot = kOverdue + 1;
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    // A place of the pool: a timer, or free. previous and next are places too.
    struct Timer {
        MonoTime deadline;
        std::uint64_t payload = 0;
        std::uint64_t sequence = 0; // 0: this place is free
        std::uint32_t previous = kNone;
        std::uint32_t next = kNone;   // of a free place: the next free one
        std::uint32_t slot = kNoSlot; // kNoSlot: free, or collected into due_
    };

    struct Due {
        MonoTime deadline;
        TimerId id;
    };

    struct Occupied {
        std::uint32_t slot;
        Tick begin;
    };

    static Tick last_tick_before(MonoTime now);
    static Tick first_tick_after(MonoTime deadline);
    static MonoTime begin_of(Tick tick);

    [[nodiscard]] std::optional<Occupied> next_occupied() const;
    void collect_due(MonoTime now);
    void empty_slot(std::uint32_t slot, Tick until);
    std::optional<std::uint64_t> take_due();

    void link(std::uint32_t place);
    void unlink(std::uint32_t place);
    void mark(std::uint32_t slot, bool occupied);
    std::uint32_t acquire();
    void release(std::uint32_t place);

    Tick current_;
    std::uint64_t last_sequence_ = 0;
    std::size_t size_ = 0;
    std::vector<Timer> pool_;
    std::uint32_t first_free_ = kNone;
    std::array<std::uint32_t, kOverdue + 1> first_in_slot_; // places
    std::array<std::array<std::uint64_t, kSlotsPerLevel / 64>, kLevels> occupied_{};
    std::vector<Due> due_; // from due_[taken_] on: collected, not yet fired
    std::size_t taken_ = 0;
};

} // namespace cpm::core
