#pragma once

#include "eventstore/event_log.hpp"
#include "eventstore/snapshot_store.hpp"
#include "manager/clock.hpp"
#include "manager/snapshots.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace cpm::manager {

/// Makes snapshots behind the writer's back, and proves the one that the start began with.
///
/// Operation: first it removes what was passed over, reads the events up to the snapshot that the
/// start began with, which the start did not, and folds them. Then, whenever enough was appended,
/// it takes the last snapshot, reads on from there to the head, and writes what follows. It holds
/// nothing in between.
///
/// Concurrency: one thread of low priority, which only reads the log. run() and stop() from the
/// thread that owns it.
class SnapshotKeeper {
  public:
    struct Parts {
        eventstore::EventLog const& log;
        eventstore::SnapshotStore const& store;
        Clock const& clock;
        Report report; ///< called on the keeper's thread
        /// The log is damaged (Corrupt), or what the start began with does not follow from it
        /// (Storage): the process must exit. Called once, on the keeper's thread; must not call
        /// stop().
        std::function<void(core::Error const&)> on_failure;
        std::optional<std::uint64_t> space_reserve{}; ///< as EngineParts'
        std::uint64_t every = 100'000;                ///< events between two snapshots, at least
        core::seconds apart{600};                     ///< time between two, at least
    };
    explicit SnapshotKeeper(Parts parts);
    ~SnapshotKeeper();

    void run();
    /// What it is at ends within some thousand events.
    void stop();

    /// What run()'s thread does again and again. `proves`: the first time it also reads what the
    /// start did not, as it should.
    void turn(bool proves = true);

  private:
    void loop();
    void begin(bool proves);
    void prove(Restored const& begun_with);
    void give_up(core::Error const& error);
    core::Result<void> fold_on(projections::LogFold& fold, eventstore::Head& end);
    bool is_due() const;
    void make();
    bool has_space(std::size_t bytes) const;

    Parts const parts_;
    bool looked_ = false;
    bool is_over_ = false; ///< the process is to exit
    core::Sequence newest_;
    std::optional<core::MonoTime> made_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

} // namespace cpm::manager
