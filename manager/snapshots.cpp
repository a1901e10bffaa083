#include "manager/snapshots.hpp"

#include <fmt/format.h>

#include <variant>

namespace cpm::manager {
namespace {

/// The hash of the record, or none: it is not there, or cannot be read.
std::optional<core::Hash> hash_at(eventstore::EventReader const& log, core::Sequence sequence) {
    std::optional<core::Hash> hash;
    auto const read = log.read_back(sequence, sequence, [&](eventstore::StoredEvent const& stored) {
        if (stored.event.sequence == sequence)
            hash = stored.hash;
        return false;
    });
    return read ? hash : std::nullopt;
}

/// It, or why it is passed over.
tl::expected<Restored, std::string> restore_one(
    eventstore::EventReader const& log,
    eventstore::SnapshotStore const& store,
    core::Sequence sequence,
    std::optional<core::Sequence> before
) {
    if (before && sequence >= *before)
        return tl::make_unexpected("holds events that were never confirmed");
    auto snapshot = store.read(sequence);
    if (!snapshot)
        return tl::make_unexpected(snapshot.error().detail);
    if (auto why = why_not(*snapshot, log); !why.empty())
        return tl::make_unexpected(std::move(why));
    auto fold = projections::unpack(snapshot->content);
    if (!fold || fold->sequence() != sequence || fold->fleet().epoch != snapshot->head.epoch)
        return tl::make_unexpected("does not hold what it says");
    return Restored{std::move(*fold), sequence, std::move(snapshot->content)};
}

} // namespace

std::string why_not(eventstore::Snapshot const& snapshot, eventstore::EventReader const& log) {
    auto const head = log.head();
    auto const& end = snapshot.head;
    if (snapshot.fold != projections::fold_code())
        return "was made by another version of CPM";
    if (end.sequence > head.sequence)
        return "lies behind the end of the log";
    if (end.epoch > head.epoch)
        return fmt::format("is of epoch {}, and the log of epoch {}", end.epoch, head.epoch);
    auto const hash = hash_at(log, end.sequence);
    if (!hash)
        return "ends with a record that the log does not have any more";
    if (*hash != end.hash)
        return "is of another log: its last event has another hash there";
    return {};
}

Restored restore(
    eventstore::EventReader const& log,
    eventstore::SnapshotStore const& store,
    std::optional<core::Sequence> before,
    Report const& report
) {
    for (auto const sequence : store.list()) {
        auto restored = restore_one(log, store, sequence, before);
        if (restored)
            return std::move(*restored);
        report(fmt::format(
            "the snapshot at event {} {}; it is passed over", sequence.value, restored.error()
        ));
    }
    return {};
}

core::Result<bool> compacted_since(eventstore::EventReader const& log, core::Sequence sequence) {
    bool found = false;
    auto const look = [&](eventstore::StoredEvent const& stored) {
        auto const* const range = std::get_if<core::HeartbeatsCompacted>(&stored.event.payload);
        found = range && range->first <= sequence;
        return !found;
    };
    auto const read = log.read_server({}, sequence.next(), log.head().sequence, look);
    if (!read)
        return tl::make_unexpected(read.error());
    return found;
}

} // namespace cpm::manager
