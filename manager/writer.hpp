#pragma once

#include "manager/engine.hpp"
#include "manager/job.hpp"
#include "manager/listening.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cpm::manager {

/// The one thread that writes: a queue before the engine.
///
/// Operation: whatever waits is decided and written in one round, so that many requests share one
/// sync. It turns at least every 250 ms; when a turn, or a turn of the listening loop, came 2 s
/// late, the engine is told that it did not listen.
///
/// Concurrency: submit() and the observers from any thread.
class Writer {
  public:
    static constexpr std::size_t kMaxQueued = 16384;

    /// `on_failure` is called once, on the writer's thread, when a round has failed for good: the
    /// process must exit. It must not call stop(). `on_turn` is called on the writer's thread after
    /// each turn before which both this thread and the listening loop had turned in time: what
    /// watches over the process may be told that it is well. It must be quick.
    Writer(
        Engine& engine,
        Clock const& clock,
        std::function<void(core::Error const&)> on_failure,
        std::function<void()> on_turn = {}
    );
    ~Writer();

    /// Starts the thread; the engine must have been started.
    void run();
    /// Decides what waits, stops the engine cleanly and joins. Later submissions are refused.
    core::Result<void> stop();

    /// `tell(core::Result<Command::Outcome>&&)` is called exactly once, on the writer's thread (or
    /// at once on this one, with Starting, when the queue is full or the writer has stopped).
    template <class Command, class Tell>
    void submit(Command command, Tell tell) {
        enqueue(std::make_unique<CommandJob<Command, Tell>>(std::move(command), std::move(tell)));
    }

    /// Called by the listening loop at each of its own 250 ms ticks: reports are being received.
    void note_listening();

    /// When the thread last turned; how healthy it is.
    core::MonoTime last_turn() const { return core::MonoTime{last_turn_.load()}; }
    Readiness readiness() const { return engine_.readiness(); }
    /// Deadlines that are armed, and commands that wait for their turn.
    std::size_t timers() const { return timers_.load(); }
    std::size_t queued() const;

  private:
    void enqueue(std::unique_ptr<Job> job);
    void loop();
    void refuse_queued();
    void wait_for_work(std::unique_lock<std::mutex>& lock);

    Engine& engine_;
    Clock const& clock_;
    std::function<void(core::Error const&)> on_failure_;
    std::function<void()> on_turn_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::unique_ptr<Job>> queue_;
    bool stopping_ = false;
    core::Result<void> stopped_{}; ///< the thread's own until it was joined

    std::atomic<core::MonoTime::duration> last_turn_;
    std::atomic<core::MonoTime::duration> last_listened_;
    std::atomic<std::size_t> timers_{0};
    std::thread thread_;
};

} // namespace cpm::manager
