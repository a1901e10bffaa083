#pragma once

#include <cstdint>
#include <string>

namespace cpm::core {

// Family "process": the manager's own life.

/// Ends `answered` of every request: what was reported before may no longer be so.
struct ManagerStarted {
    std::string version;
    bool operator==(ManagerStarted const&) const = default;
};

struct ManagerStopped {
    bool operator==(ManagerStopped const&) const = default;
};

/// An administrator accepts that the log was rolled back: a new epoch begins.
struct RollbackAccepted {
    std::uint64_t epoch = 0;
    bool operator==(RollbackAccepted const&) const = default;
};

} // namespace cpm::core
