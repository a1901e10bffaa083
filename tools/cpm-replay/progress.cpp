#include "tools/cpm-replay/progress.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace cpm::replay {
namespace {

/// Fewer are read before anybody wonders.
constexpr std::uint64_t kLong = 100'000;
/// Fewer are no slow work; a file gets no word of them.
constexpr std::uint64_t kSlow = 500'000;
constexpr auto kEraseLine = "\r\x1b[K";

} // namespace

Progress::Progress(core::Sequence first, core::Sequence last, bool wanted)
    : first_(first.value)
    , step_(0) {
    auto const events = last > first ? last.value - first.value : 0;
    on_terminal_ = isatty(STDERR_FILENO) != 0;
    if (wanted && events >= (on_terminal_ ? kLong : kSlow))
        step_ = events / 100;
}

void Progress::reached(core::Sequence sequence) {
    if (step_ == 0)
        return;
    auto const percent = (sequence.value - first_) / step_;
    if (percent == shown_)
        return;
    bool const is_tenth = percent / 10 != shown_ / 10;
    shown_ = percent;
    if (on_terminal_)
        fmt::print(stderr, "{}cpm-replay: {} % read", kEraseLine, percent);
    else if (is_tenth)
        fmt::print(stderr, "cpm-replay: {} % read\n", percent);
    visible_ = on_terminal_;
}

void Progress::hide() {
    if (visible_)
        fmt::print(stderr, "{}", kEraseLine);
    visible_ = false;
}

} // namespace cpm::replay
