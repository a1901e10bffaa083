#include "manager/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <pthread.h>

namespace cpm::manager {
namespace {

constexpr core::seconds kPatience{20};

core::Error waited_too_long() {
    return {
        core::ErrorCode::Starting,
        fmt::format(
            "the manager could not do this within {} seconds, and has not done it: ask again",
            kPatience.count()
        ),
    };
}

core::Error busy() {
    return {
        core::ErrorCode::Starting, "the manager is not accepting requests: try again in a moment"};
}

/// A change that somebody waits for. When it was not decided in time (a disk that hangs) whoever
/// asked has given up, the dashboard after 25 s: an OFF is not to come once the disk moves again.
class Waiting final : public Job {
  public:
    Waiting(std::unique_ptr<Job> job, Clock const& clock)
        : job_(std::move(job))
        , clock_(clock)
        , since_(clock.now().mono + clock.suspended()) {}

    bool is_refused_first() const override { return job_->is_refused_first(); }

    void decide(Turn& turn) override {
        is_late_ = turn.now().mono + clock_.suspended() - since_ > kPatience;
        if (!is_late_)
            job_->decide(turn);
    }

    void answer(core::Result<void> const& durable) override {
        if (is_late_)
            job_->answer(tl::make_unexpected(waited_too_long()));
        else
            job_->answer(durable);
    }

  private:
    std::unique_ptr<Job> job_;
    Clock const& clock_;
    core::MonoTime since_; ///< with the time that this machine has been suspended
    bool is_late_ = false;
};

} // namespace

Writer::Writer(
    Engine& engine,
    Clock const& clock,
    std::function<void(core::Error const&)> on_failure,
    std::function<void()> on_turn
)
    : engine_(engine)
    , clock_(clock)
    , on_failure_(std::move(on_failure))
    , on_turn_(std::move(on_turn))
    , last_turn_(clock.now().mono.time_since_epoch())
    , last_listened_(clock.now().mono.time_since_epoch()) {}

Writer::~Writer() {
    (void)stop();
}

void Writer::run() {
    last_turn_ = clock_.now().mono.time_since_epoch();
    note_listening();
    thread_ = std::thread([this] { loop(); });
}

core::Result<void> Writer::stop() {
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable())
        thread_.join();
    refuse_queued(); // of a writer that never ran
    return stopped_;
}

std::size_t Writer::queued() const {
    std::lock_guard const lock(mutex_);
    return queue_.size();
}

void Writer::note_listening() {
    last_listened_ = clock_.now().mono.time_since_epoch();
}

void Writer::enqueue(std::unique_ptr<Job> job) {
    if (job->is_refused_first())
        job = std::make_unique<Waiting>(std::move(job), clock_);
    {
        std::lock_guard const lock(mutex_);
        if (!stopping_ && queue_.size() < kMaxQueued) {
            queue_.push_back(std::move(job));
            if (queue_.size() > 1)
                return; // the first one has woken the thread
        }
    }
    if (job)
        job->answer(tl::make_unexpected(busy()));
    else
        wake_.notify_one();
}

void Writer::wait_for_work(std::unique_lock<std::mutex>& lock) {
    auto const now = clock_.now().mono;
    auto until = now + kTick;
    if (auto const due = engine_.next_due())
        until = std::min(until, *due);
    auto const ready = [this] { return stopping_ || !queue_.empty(); };
    if (until > now)
        wake_.wait_for(lock, until - now, ready);
}

void Writer::loop() {
    ::pthread_setname_np(
        ::pthread_self(), "cpm-writer"
    ); // for whoever looks at a process that hangs
    std::vector<std::unique_ptr<Job>> jobs;
    bool is_first = true;
    bool was_held_up = false;
    bool last = false;
    while (!last && stopped_) {
        jobs.clear();
        {
            std::unique_lock lock(mutex_);
            if (!is_first)
                wait_for_work(lock);
            jobs.swap(queue_);
            last = stopping_;
        }
        auto const now = clock_.now();
        // Before its first turn nobody listened, whatever lay between the start and now.
        auto const listened = core::MonoTime{last_listened_.load()};
        bool const listening = !is_first && was_listening(now.mono, last_turn(), listened);
        // Of turns that are late one after the other (a slow disk) only the first puts off what is
        // due: meanwhile the loop reads.
        bool const held_up = is_held_up(now.mono, last_turn());
        if ((held_up && !was_held_up) || is_held_up(now.mono, listened))
            engine_.hear_first(now.mono);
        was_held_up = held_up;
        last_turn_ = now.mono.time_since_epoch();
        stopped_ = engine_.round(jobs, now, listening);
        timers_ = engine_.timers();
        is_first = false;
        if (listening && stopped_ && on_turn_)
            on_turn_();
    }
    if (stopped_) {
        stopped_ = engine_.stop();
        return;
    }
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    on_failure_(stopped_.error());
    refuse_queued();
}

void Writer::refuse_queued() {
    std::vector<std::unique_ptr<Job>> jobs;
    {
        std::lock_guard const lock(mutex_);
        jobs.swap(queue_);
    }
    // Without the lock: whoever is told may submit again.
    for (auto const& job : jobs)
        job->answer(tl::make_unexpected(busy()));
}

} // namespace cpm::manager
