#pragma once

namespace cpm::sim {

/// The bug that is planted in this process: its place in plants.toml, from 1; 0: none.
inline int planted_bug = 0;

/// What the planted copies of the sources ask; the sources themselves know nothing of it.
inline bool is_planted(int bug) {
    return planted_bug == bug;
}

} // namespace cpm::sim
