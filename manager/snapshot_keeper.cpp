#include "manager/snapshot_keeper.hpp"

#include "manager/space.hpp"

#include <fmt/format.h>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace cpm::manager {
namespace {

constexpr core::seconds kTurn{5};
/// Read at once: no iterator of the database lives long, and a stop need not wait.
constexpr std::size_t kSlice = 10'000;
constexpr int kNice = 10;

} // namespace

SnapshotKeeper::SnapshotKeeper(Parts parts)
    : parts_(std::move(parts)) {}

SnapshotKeeper::~SnapshotKeeper() {
    stop();
}

void SnapshotKeeper::run() {
    thread_ = std::thread([this] { loop(); });
}

void SnapshotKeeper::stop() {
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable())
        thread_.join();
}

void SnapshotKeeper::loop() {
    ::pthread_setname_np(::pthread_self(), "cpm-snapshots");
    // Linux gives each thread a niceness of its own. Heartbeats go first.
    ::setpriority(PRIO_PROCESS, id_t(::gettid()), kNice);
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        turn();
        lock.lock();
        wake_.wait_for(lock, kTurn, [this] { return stopping_.load(); });
    }
}

void SnapshotKeeper::turn(bool proves) {
    if (!looked_) {
        looked_ = true;
        begin(proves);
    }
    if (!stopping_ && !is_over_ && is_due())
        make();
}

void SnapshotKeeper::begin(bool proves) {
    // The start has reported what it passed over.
    auto const begun_with = restore(parts_.log, parts_.store, {}, [](std::string_view) {});
    newest_ = begun_with.sequence;
    for (auto const other : parts_.store.list())
        if (other > newest_)
            parts_.store.remove(other);
    if (newest_ && proves)
        prove(begun_with);
}

core::Result<void> SnapshotKeeper::fold_on(projections::LogFold& fold, eventstore::Head& end) {
    while (!stopping_ && fold.sequence() < end.sequence) {
        std::size_t taken = 0;
        auto const take = [&](eventstore::StoredEvent const& stored) {
            (void)fold.apply(stored.event);
            end.hash = stored.hash;
            return ++taken < kSlice;
        };
        if (auto read = parts_.log.read(fold.sequence().next(), end.sequence, take); !read)
            return read;
        if (taken == 0)
            break;
    }
    end.sequence = fold.sequence();
    end.epoch = fold.fleet().epoch;
    return {};
}

/// A damaged log is trusted no more after a start than at one; a disk that cannot be read just now
/// may be readable at the next turn.
void SnapshotKeeper::give_up(core::Error const& error) {
    if (error.code != core::ErrorCode::Corrupt)
        return parts_.report("the log could not be read again: " + error.detail);
    is_over_ = true;
    parts_.on_failure(error);
}

/// The start believed a snapshot, and did not read what lies before it.
void SnapshotKeeper::prove(Restored const& begun_with) {
    projections::LogFold fold;
    eventstore::Head end{1, begun_with.sequence, {}};
    if (auto read = fold_on(fold, end); !read)
        return give_up(read.error());
    if (stopping_ || projections::pack(fold) == begun_with.packed)
        return;
    auto const compacted = compacted_since(parts_.log, begun_with.sequence);
    if (!compacted || *compacted)
        return;
    parts_.store.remove_all();
    is_over_ = true;
    parts_.on_failure(
        {core::ErrorCode::Storage,
         fmt::format(
             "the snapshot at event {}, with which this process began, does not follow from the "
             "events: it is removed, and the next start reads them all",
             begun_with.sequence.value
         )}
    );
}

bool SnapshotKeeper::is_due() const {
    auto const now = parts_.clock.now().mono;
    return parts_.log.head().sequence.value - newest_.value >= parts_.every &&
           (!made_ || now - *made_ >= parts_.apart);
}

void SnapshotKeeper::make() {
    made_ = parts_.clock.now().mono;
    auto restored = restore(parts_.log, parts_.store, {}, parts_.report);
    auto& fold = restored.fold;
    auto end = parts_.log.head();
    if (auto read = fold_on(fold, end); !read)
        return give_up(read.error());
    if (stopping_)
        return;
    eventstore::Snapshot snapshot{end, projections::fold_code(), projections::pack(fold)};
    if (!has_space(snapshot.content.size()))
        return;
    if (auto written = parts_.store.write(snapshot); !written)
        return parts_.report(written.error().detail);
    newest_ = end.sequence;
}

/// A snapshot is never needed, so it must not take from the reserve.
bool SnapshotKeeper::has_space(std::size_t bytes) const {
    auto const free = parts_.log.free_bytes();
    auto const total = parts_.log.total_bytes();
    return !free || !total ||
           *free >= space_limits(*total, parts_.space_reserve).reserve + 2 * bytes;
}

} // namespace cpm::manager
