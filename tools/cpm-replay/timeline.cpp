#include "tools/cpm-replay/timeline.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cpm::replay {
namespace {

using Entries = std::vector<TimelineEntry>;

/// Goes along one history; time never goes back on it.
class Place {
  public:
    explicit Place(Entries const& entries)
        : entries_(entries) {}

    std::optional<core::WallTime> next_at() const {
        return next_ < entries_.size() ? std::optional(entries_[next_].at) : std::nullopt;
    }
    void go_to(core::WallTime at) {
        while (next_ < entries_.size() && entries_[next_].at <= at)
            ++next_;
    }
    TimelineEntry const* now() const { return next_ == 0 ? nullptr : &entries_[next_ - 1]; }
    std::optional<core::ActualStatus> status() const {
        return now() ? now()->status : std::nullopt;
    }

  private:
    Entries const& entries_;
    std::size_t next_ = 0;
};

void compare(
    core::ServerId server, Entries const& was, Entries const& would_be, std::vector<Difference>& all
) {
    Place left(was);
    Place right(would_be);
    bool is_open = false; // then it is the last one
    auto const close = [&](std::optional<core::WallTime> at) {
        if (!std::exchange(is_open, false))
            return;
        if (at && *at - all.back().from < kSameTime)
            all.pop_back();
        else
            all.back().until = at;
    };
    for (;;) {
        auto const a = left.next_at();
        auto const b = right.next_at();
        if (!a && !b)
            break;
        auto const at = a && b ? std::min(*a, *b) : a ? *a : *b;
        left.go_to(at);
        right.go_to(at);
        if (is_open && all.back().was == left.status() && all.back().would_be == right.status())
            continue;
        close(at);
        if (left.status() == right.status())
            continue;
        is_open = true;
        all.push_back(
            {server,
             at,
             std::nullopt,
             left.status(),
             right.status(),
             right.now() ? right.now()->reason : projections::Reason{}}
        );
    }
    close(std::nullopt);
}

} // namespace

std::vector<Difference> differences(Timelines const& was, Timelines const& would_be) {
    static Entries const kNothing;
    std::vector<Difference> all;
    for (auto const& [server, entries] : was) {
        auto const other = would_be.find(server);
        compare(server, entries, other == would_be.end() ? kNothing : other->second, all);
    }
    std::ranges::sort(all, {}, [](Difference const& one) {
        return std::tuple(one.from, one.server);
    });
    return all;
}

} // namespace cpm::replay
