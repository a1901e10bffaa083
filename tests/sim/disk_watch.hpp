#pragma once

#include "manager/publication.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/manager_host.hpp"

namespace cpm::sim {

/// What the manager owes its disk (event log 2.2): the witness of the log's head is kept each
/// second, and what is appended leaves the reserves alone.
class DiskWatch {
  public:
    void manager_starts() { witnessed_until_ = {}; }
    /// A round begins.
    void manager_turns(ManagerHost::Space space) { had_space_ = space; }
    void manager_turned(Disk const& disk, Time now);
    /// What that round came to.
    void published(manager::Publication const& publication) const;

  private:
    ManagerHost::Space had_space_{};
    core::Sequence witnessed_until_; ///< at least, when it is due
    Time witness_due_{};
};

} // namespace cpm::sim
