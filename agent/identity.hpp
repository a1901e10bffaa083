#pragma once

#include "agent/values.hpp"

#include <tl/expected.hpp>

#include <filesystem>
#include <string>

/// Who this machine is, from one boot or resume to the next (status model 1.1).
namespace cpm::agent {

/// Both clocks at one moment: they differ by the time the machine was suspended.
struct Clocks {
    microseconds boottime{};
    microseconds monotonic{};
};

/// Counts resumes. CLOCK_BOOTTIME gains on CLOCK_MONOTONIC in a suspend or hibernation, and by
/// nothing else; a gain of over 100 ms is one resume.
class ResumeCounter {
  public:
    /// `count` resumes are known, the last of which left the clocks `suspended` apart.
    ResumeCounter(std::uint64_t count, microseconds suspended)
        : count_(count)
        , suspended_(suspended) {}

    /// As after a boot, or when nothing is known: whatever lies behind is no resume.
    explicit ResumeCounter(Clocks const& now)
        : ResumeCounter(0, now.boottime - now.monotonic) {}

    /// The count as of now.
    std::uint64_t look(Clocks const& now);

    std::uint64_t count() const { return count_; }
    microseconds suspended() const { return suspended_; }

  private:
    std::uint64_t count_;
    microseconds suspended_;
};

/// This boot's id: from RUN/boot_id, where the unit has put it, else from the kernel. The error
/// names the file.
tl::expected<std::string, std::string> read_boot_id(std::filesystem::path const& run_directory);

} // namespace cpm::agent
