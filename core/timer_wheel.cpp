#include "core/timer_wheel.hpp"

#include <algorithm>
#include <tuple>

namespace cpm::core {

// The invariant everything here rests on: a timer of level L agrees with the current tick in all
// bytes above L and exceeds it in byte L. So the first occupied slot of the lowest occupied level
// is the next one in time, and no slot ever lies behind the current tick.

TimerWheel::TimerWheel(MonoTime now)
    : current_(last_tick_before(now)) {
    first_in_slot_.fill(kNone);
}

TimerId TimerWheel::schedule(MonoTime deadline, std::uint64_t payload) {
    std::uint32_t const place = acquire();
    Timer& timer = pool_[place];
    timer.deadline = deadline;
    timer.payload = payload;
    timer.sequence = ++last_sequence_;
    ++size_;
    link(place);
    return {place, timer.sequence};
}

void TimerWheel::cancel(TimerId id) {
    if (id.sequence == 0 || id.place >= pool_.size() || pool_[id.place].sequence != id.sequence) {
        return;
    }
    if (pool_[id.place].slot != kNoSlot) {
        unlink(id.place);
    }
    release(id.place);
}

std::optional<MonoTime> TimerWheel::next_due() const {
    if (size_ == 0) {
        return std::nullopt;
    }
    if (first_in_slot_[kOverdue] != kNone || taken_ < due_.size()) {
        return begin_of(current_);
    }
    if (auto const next = next_occupied()) {
        return begin_of(next->begin);
    }
    return std::nullopt;
}

TimerWheel::Tick TimerWheel::last_tick_before(MonoTime now) {
    auto const since_zero = std::max(now.time_since_epoch(), std::chrono::nanoseconds::zero());
    return static_cast<Tick>(since_zero / kTick);
}

// Rounds up, so that no timer is early.
TimerWheel::Tick TimerWheel::first_tick_after(MonoTime deadline) {
    auto const since_zero = std::max(deadline.time_since_epoch(), std::chrono::nanoseconds::zero());
    Tick const whole = static_cast<Tick>(since_zero / kTick);
    return since_zero % kTick == std::chrono::nanoseconds::zero() ? whole : whole + 1;
}

// The tick after the clock's last moment begins, as far as anyone can tell, at that moment.
MonoTime TimerWheel::begin_of(Tick tick) {
    constexpr auto kLast = static_cast<Tick>(MonoTime::max().time_since_epoch() / kTick);
    static_assert(kLast + 1 < Tick{1} << (kLevels * kDigitBits), "the levels hold all of time");
    return tick > kLast ? MonoTime::max() : MonoTime(kTick * static_cast<std::int64_t>(tick));
}

std::optional<TimerWheel::Occupied> TimerWheel::next_occupied() const {
    for (unsigned level = 0; level < kLevels; ++level) {
        for (std::uint32_t word = 0; word < occupied_[level].size(); ++word) {
            if (std::uint64_t const bits = occupied_[level][word]; bits != 0) {
                Tick const digit = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
                unsigned const shift = level * kDigitBits;
                Tick const above = current_ >> (shift + kDigitBits) << (shift + kDigitBits);
                auto const slot = static_cast<std::uint32_t>(level * kSlotsPerLevel + digit);
                return Occupied{slot, above | digit << shift};
            }
        }
    }
    return std::nullopt;
}

void TimerWheel::collect_due(MonoTime now) {
    Tick const until = std::max(current_, last_tick_before(now));
    empty_slot(kOverdue, until);
    for (auto next = next_occupied(); next && next->begin <= until; next = next_occupied()) {
        current_ = next->begin;
        empty_slot(next->slot, until);
    }
    current_ = until;
    std::sort(
        due_.begin() + static_cast<std::ptrdiff_t>(taken_),
        due_.end(),
        [](Due const& a, Due const& b) {
            return std::tie(a.deadline, a.id.sequence) < std::tie(b.deadline, b.id.sequence);
        }
    );
}

// Each timer of the slot is either due by `until` or moves to a lower level.
void TimerWheel::empty_slot(std::uint32_t slot, Tick until) {
    while (first_in_slot_[slot] != kNone) {
        std::uint32_t const place = first_in_slot_[slot];
        Timer const& timer = pool_[place];
        bool const is_due = first_tick_after(timer.deadline) <= until;
        if (is_due) {
            due_.push_back({timer.deadline, {place, timer.sequence}});
        }
        unlink(place);
        if (!is_due) {
            link(place);
        }
    }
}

// The next collected timer that was not cancelled meanwhile; it counts as fired.
std::optional<std::uint64_t> TimerWheel::take_due() {
    while (taken_ < due_.size()) {
        TimerId const id = due_[taken_++].id;
        if (pool_[id.place].sequence == id.sequence) {
            std::uint64_t const payload = pool_[id.place].payload;
            release(id.place);
            return payload;
        }
    }
    due_.clear();
    taken_ = 0;
    return std::nullopt;
}

// Puts the timer first into the slot where it belongs by the current tick. The order within a slot
// has no meaning.
void TimerWheel::link(std::uint32_t place) {
    Timer& timer = pool_[place];
    Tick const tick = first_tick_after(timer.deadline);
    if (tick <= current_) {
        timer.slot = kOverdue;
    } else {
        auto const highest_bit = static_cast<unsigned>(std::bit_width(tick ^ current_)) - 1;
        unsigned const level = highest_bit / kDigitBits;
        Tick const digit = (tick >> (level * kDigitBits)) % kSlotsPerLevel;
        timer.slot = static_cast<std::uint32_t>(level * kSlotsPerLevel + digit);
    }
    timer.previous = kNone;
    timer.next = std::exchange(first_in_slot_[timer.slot], place);
    if (timer.next != kNone) {
        pool_[timer.next].previous = place;
    }
    mark(timer.slot, true);
}

void TimerWheel::unlink(std::uint32_t place) {
    Timer& timer = pool_[place];
    if (timer.next != kNone) {
        pool_[timer.next].previous = timer.previous;
    }
    if (timer.previous != kNone) {
        pool_[timer.previous].next = timer.next;
    } else {
        first_in_slot_[timer.slot] = timer.next;
        mark(timer.slot, timer.next != kNone);
    }
    timer.slot = kNoSlot;
}

void TimerWheel::mark(std::uint32_t slot, bool occupied) {
    if (slot == kOverdue) {
        return; // next_due and collect_due look at it first, without a bit
    }
    std::uint64_t& word = occupied_[slot / kSlotsPerLevel][slot % kSlotsPerLevel / 64];
    std::uint64_t const bit = std::uint64_t{1} << (slot % 64);
    word = occupied ? word | bit : word & ~bit;
}

std::uint32_t TimerWheel::acquire() {
    if (first_free_ == kNone) {
        pool_.emplace_back();
        return static_cast<std::uint32_t>(pool_.size() - 1);
    }
    return std::exchange(first_free_, pool_[first_free_].next);
}

void TimerWheel::release(std::uint32_t place) {
    pool_[place].sequence = 0;
    pool_[place].next = std::exchange(first_free_, place);
    --size_;
}

} // namespace cpm::core
