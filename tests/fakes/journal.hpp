#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace cpm::test {

/// What the fakes saw, in the order in which they saw it. Safe from any thread.
class Journal {
  public:
    void note(std::string line) {
        std::lock_guard const lock(mutex_);
        lines_.push_back(std::move(line));
    }
    std::vector<std::string> lines() const {
        std::lock_guard const lock(mutex_);
        return lines_;
    }
    void clear() {
        std::lock_guard const lock(mutex_);
        lines_.clear();
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

} // namespace cpm::test
