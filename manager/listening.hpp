#pragma once

#include "core/time.hpp"

namespace cpm::manager {

/// The listening loop and the writer each turn at least this often.
inline constexpr core::milliseconds kTick{250};
/// A turn that comes this late means that nobody listened (status model 1.5).
inline constexpr core::seconds kLate{2};

/// Whether reports could be received all the time up to `now`: `turned` and `listened` are when the
/// writer and the listening loop turned last.
constexpr bool was_listening(core::MonoTime now, core::MonoTime turned, core::MonoTime listened) {
    return now - turned < kLate + kTick && now - listened < kLate + kTick;
}

/// Whether a turn of the thread that turned last at `turned` is a whole tick late: for less than
/// kLate, but long enough that a report that came meanwhile may still wait to be read.
constexpr bool is_held_up(core::MonoTime now, core::MonoTime turned) {
    return now - turned >= 2 * kTick;
}

} // namespace cpm::manager
