#include "tools/cpm-replay/progress.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace cpm::replay {
namespace {

/// Fewer are read before anybody wonders.
constexpr std::uint64_t kLong = 100'000;
constexpr auto kEraseLine = "\r\x1b[K";

} // namespace

Progress::Progress(core::Sequence first, core::Sequence last, bool wanted)
    : first_(first.value)
    , step_(0) {
    auto const events = last > first ? last.value - first.value : 0;
    if (wanted && events >= kLong && isatty(STDERR_FILENO) != 0)
        step_ = events / 100;
}

void Progress::reached(core::Sequence sequence) {
    if (step_ == 0)
        return;
    auto const percent = (sequence.value - first_) / step_;
    if (percent == shown_)
        return;
    shown_ = percent;
    visible_ = true;
    fmt::print(stderr, "{}cpm-replay: {} % read", kEraseLine, percent);
}

void Progress::hide() {
    if (visible_)
        fmt::print(stderr, "{}", kEraseLine);
    visible_ = false;
}

} // namespace cpm::replay
