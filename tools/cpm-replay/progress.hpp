#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <string>

namespace cpm::replay {

/// "cpm-replay: 42 % read" on standard error, for long reading: on a terminal one line that counts,
/// elsewhere a line a tenth, and only for slow work.
class Progress {
  public:
    /// `wanted`: false where the rows themselves show the progress.
    Progress(core::Sequence first, core::Sequence last, bool wanted);
    ~Progress() { hide(); }
    Progress(Progress const&) = delete;
    Progress& operator=(Progress const&) = delete;

    void reached(core::Sequence sequence);
    /// Takes the line away, before something else is printed there.
    void hide();

  private:
    std::uint64_t first_;
    std::uint64_t step_; ///< events in one per cent; 0: nothing is shown
    std::uint64_t shown_ = 0;
    bool on_terminal_ = false;
    bool visible_ = false;
};

} // namespace cpm::replay
