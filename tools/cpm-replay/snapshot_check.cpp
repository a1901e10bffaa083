#include "tools/cpm-replay/snapshot_check.hpp"

#include "manager/snapshots.hpp"

#include <algorithm>

namespace cpm::replay {

SnapshotCheck::SnapshotCheck(std::filesystem::path const& data_directory, FaultSink found)
    : found_(std::move(found)) {
    eventstore::SnapshotStore const store(data_directory);
    for (auto const sequence : store.list()) { // newest first
        auto snapshot = store.read(sequence);
        if (snapshot && snapshot->fold == projections::fold_code())
            waiting_.push_back(std::move(*snapshot));
        // A running manager may have removed it meanwhile.
        if (!snapshot && std::ranges::count(store.list(), sequence) > 0)
            found_({Check::Snapshot, sequence, sequence, "it " + snapshot.error().detail});
    }
    if (!waiting_.empty())
        fold_.emplace();
}

void SnapshotCheck::add(eventstore::StoredEvent const& stored) {
    auto const sequence = stored.event.sequence;
    // Its last record was compacted away.
    while (!waiting_.empty() && waiting_.back().head.sequence < sequence)
        waiting_.pop_back();
    if (waiting_.empty())
        return fold_.reset();
    (void)fold_->apply(stored.event);
    if (waiting_.back().head.sequence == sequence) {
        judge(waiting_.back(), stored.hash);
        waiting_.pop_back();
    }
}

void SnapshotCheck::judge(eventstore::Snapshot const& snapshot, core::Hash const& hash) {
    auto const sequence = snapshot.head.sequence;
    if (snapshot.head.hash != hash)
        found_(
            {Check::Snapshot,
             sequence,
             sequence,
             "it is of another log: its last event has another hash there"}
        );
    else if (pack(*fold_) != snapshot.content)
        different_.push_back(sequence);
    else
        ++confirmed_;
}

void SnapshotCheck::end(eventstore::EventReader const& log) {
    for (auto const sequence : different_) {
        auto const compacted = manager::compacted_since(log, sequence);
        if (compacted && !*compacted)
            found_(
                {Check::Snapshot,
                 sequence,
                 sequence,
                 "it is not what follows from the events; remove DATA/snapshots"}
            );
    }
    for (auto const& snapshot : waiting_)
        found_(
            {Check::Snapshot,
             snapshot.head.sequence,
             snapshot.head.sequence,
             "it lies behind the end of the log"}
        );
}

} // namespace cpm::replay
