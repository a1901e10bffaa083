#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <optional>

namespace cpm::replay {

/// "cpm-replay: 42 % read" on standard error, in a long part of a log: on a terminal one line that
/// counts, elsewhere a line a tenth, and only in a part that is slow to read as a whole.
class Progress {
  public:
    /// What is read goes from `first` to about `expected_end`; the part it is read of, to `last`.
    Progress(
        core::Sequence first,
        core::Sequence last,
        bool wanted,
        std::optional<core::Sequence> expected_end = {}
    );
    ~Progress() { hide(); }
    Progress(Progress const&) = delete;
    Progress& operator=(Progress const&) = delete;

    void reached(core::Sequence sequence);
    /// Takes the line away, before something else is printed there.
    void hide();

  private:
    std::uint64_t first_;
    std::uint64_t count_; ///< events to read; 0: nothing is shown
    std::uint64_t shown_ = 0;
    bool on_terminal_ = false;
};

/// Takes away the line that stands on the terminal, if there is one: the output comes there.
void hide_progress();

} // namespace cpm::replay
