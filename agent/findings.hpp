#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cpm::agent {

/// What people should read in the journal: steps each time, troubles once until there are none any
/// more, however many kinds of them take turns.
///
/// Operation: `calm` says that all is well again; a trouble after that is told anew. Concurrency:
/// none. Limitations: of over 64 kinds at a time (somebody makes them up) the rest are not told.
class Findings {
  public:
    void step(std::string text) { lines_.push_back(std::move(text)); }
    void trouble(std::string text);
    void calm() { told_.clear(); }

    /// The lines since the last look.
    std::vector<std::string> take() { return std::exchange(lines_, {}); }

  private:
    std::set<std::string> told_;
    std::vector<std::string> lines_;
};

} // namespace cpm::agent
