#include "tools/cpm-replay/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace cpm::replay {
namespace {

/// Fewer are read before anybody wonders.
constexpr std::uint64_t kLong = 100'000;
/// Fewer are no slow work; a file gets no word of them.
constexpr std::uint64_t kSlow = 500'000;
constexpr auto kEraseLine = "\r\x1b[K";

/// There is one terminal.
bool is_visible = false;

} // namespace

Progress::Progress(
    core::Sequence first,
    core::Sequence last,
    bool wanted,
    std::optional<core::Sequence> expected_end
)
    : first_(first.value)
    , count_(0)
    , on_terminal_(isatty(STDERR_FILENO) != 0) {
    auto const end = std::max(first, expected_end.value_or(last));
    bool const is_long =
        last >= first && last.value - first.value >= (on_terminal_ ? kLong : kSlow);
    if (wanted && is_long)
        count_ = end.value - first.value + 1;
}

void Progress::reached(core::Sequence sequence) {
    if (count_ == 0)
        return;
    auto const read = sequence.value - first_ + 1;
    auto const percent = read < count_ ? read * 100 / count_ : 100;
    if (percent == shown_)
        return;
    bool const is_tenth = percent / 10 != shown_ / 10;
    shown_ = percent;
    if (on_terminal_)
        fmt::print(stderr, "{}cpm-replay: {} % read", kEraseLine, percent);
    else if (is_tenth)
        fmt::print(stderr, "cpm-replay: {} % read\n", percent);
    is_visible = on_terminal_;
}

void Progress::hide() {
    hide_progress();
}

void hide_progress() {
    if (is_visible)
        fmt::print(stderr, "{}", kEraseLine);
    is_visible = false;
}

} // namespace cpm::replay
