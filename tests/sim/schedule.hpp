#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace cpm::sim {

/// Since the world began. Nothing in it is faster or slower than its parts say: time is what the
/// next happening carries.
using Time = std::chrono::nanoseconds;

/// What is going to happen, in the order of its time, and of being planned.
class Schedule {
  public:
    Time now() const { return now_; }

    void at(Time time, std::function<void()> happening) {
        std::size_t slot = happenings_.size();
        if (free_.empty())
            happenings_.push_back(std::move(happening));
        else {
            slot = free_.back();
            free_.pop_back();
            happenings_[slot] = std::move(happening);
        }
        heap_.push_back({std::max(time, now_), ++planned_, slot});
        std::ranges::push_heap(heap_, Later{});
    }
    void after(Time delay, std::function<void()> happening) {
        at(now_ + delay, std::move(happening));
    }

    /// Lets the next thing happen, if it does by `end`; else it is `end`, and false.
    bool step(Time end) {
        if (heap_.empty() || heap_.front().time > end) {
            now_ = std::max(now_, end);
            return false;
        }
        std::ranges::pop_heap(heap_, Later{});
        auto const next = heap_.back();
        heap_.pop_back();
        now_ = next.time;
        auto const happening = std::move(happenings_[next.slot]);
        happenings_[next.slot] = nullptr;
        free_.push_back(next.slot);
        ++happened_;
        happening();
        return true;
    }

    std::size_t waiting() const { return heap_.size(); }
    std::uint64_t happened() const { return happened_; }

  private:
    struct Entry {
        Time time;
        std::uint64_t number;
        std::size_t slot;
    };
    struct Later {
        bool operator()(Entry const& a, Entry const& b) const {
            return a.time != b.time ? a.time > b.time : a.number > b.number;
        }
    };

    Time now_{};
    std::uint64_t planned_ = 0;
    std::uint64_t happened_ = 0;
    std::vector<Entry> heap_;
    std::vector<std::function<void()>> happenings_;
    std::vector<std::size_t> free_;
};

} // namespace cpm::sim
