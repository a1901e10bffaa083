#include "eventstore/memory_log.hpp"

#include "eventstore/hash.hpp"
#include "eventstore/record.hpp"

#include <algorithm>

namespace cpm::eventstore {

MemoryLog::MemoryLog()
    : log_id_(random_log_id()) {}

Head MemoryLog::head() const {
    std::lock_guard const lock(mutex_);
    return {epoch_, {records_.size()}, hashes_.empty() ? log_id_ : hashes_.back()};
}

core::Result<StoredEvent> MemoryLog::stored(core::Sequence sequence) const {
    std::lock_guard const lock(mutex_);
    auto const index = std::size_t(sequence.value - 1);
    // A record's bytes stay where they are when the list of records grows.
    return open_record(sequence, records_[index], index == 0 ? &log_id_ : &hashes_[index - 1]);
}

std::optional<core::HeartbeatsCompacted> MemoryLog::removed_range(core::Sequence sequence) const {
    std::lock_guard const lock(mutex_);
    auto const* range = sequence <= removed_until_ ? ranges_.find(sequence) : nullptr;
    return range ? std::optional(*range) : std::nullopt;
}

core::Result<void>
MemoryLog::read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    last = std::min(last, head().sequence);
    for (auto at = std::max(first, core::Sequence{1}); at <= last; at = at.next()) {
        if (auto const range = removed_range(at)) {
            at = range->last;
            continue;
        }
        auto const event = stored(at);
        if (!event)
            return tl::make_unexpected(event.error());
        if (!visit(*event))
            break;
    }
    return {};
}

core::Result<void>
MemoryLog::read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    first = std::max(first, core::Sequence{1});
    for (auto at = std::min(last, head().sequence); at >= first; at = {at.value - 1}) {
        if (auto const range = removed_range(at)) {
            at = range->first;
            continue;
        }
        auto const event = stored(at);
        if (!event)
            return tl::make_unexpected(event.error());
        if (!visit(*event))
            break;
    }
    return {};
}

core::Result<void> MemoryLog::read_server(
    core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    return read(first, last, [&](StoredEvent const& stored) {
        return !concerns(stored.event, server) || visit(stored);
    });
}

core::Result<core::Sequence> MemoryLog::compacted_until() const {
    std::lock_guard const lock(mutex_);
    return ranges_.last();
}

core::Result<void> MemoryLog::read_table(
    Table table, std::function<void(std::string_view, std::string_view)> const& visit
) const {
    std::unique_lock lock(mutex_);
    auto const copy = tables_; // the visit may read the log again
    lock.unlock();
    for (auto const& [key, value] : copy)
        if (key.first == table)
            visit(key.second, value);
    return {};
}

core::Result<void> MemoryLog::append(
    core::Sequence after, std::span<core::Event const> events, std::span<RecordChange const> changes
) {
    auto batch = chain(head(), after, events);
    if (!batch)
        return tl::make_unexpected(std::move(batch.error()));
    std::lock_guard const lock(mutex_);
    for (auto& record : batch->records) {
        hashes_.push_back(record.hash);
        records_.push_back(std::move(record.bytes));
    }
    for (auto const& event : events)
        if (auto const* range = std::get_if<core::HeartbeatsCompacted>(&event.payload))
            ranges_.add(*range);
    if (batch->head.epoch > std::max(epoch_, witnessed_epoch_))
        rolled_back_.reset();
    epoch_ = batch->head.epoch;
    for (auto const& change : changes) {
        std::pair const key(change.table, change.key);
        if (change.value)
            tables_[key] = *change.value;
        else
            tables_.erase(key);
    }
    return {};
}

core::Result<void> MemoryLog::keep_witness() {
    return {};
}

std::optional<core::Sequence> MemoryLog::unconfirmed_from() const {
    return std::nullopt;
}

core::Result<void> MemoryLog::clear_unconfirmed() {
    return {};
}

std::optional<std::string> MemoryLog::rolled_back() const {
    std::lock_guard const lock(mutex_);
    return rolled_back_;
}

core::Result<void> MemoryLog::mark_rolled_back(std::string_view why, std::uint64_t epoch) {
    std::lock_guard const lock(mutex_);
    rolled_back_ = why;
    witnessed_epoch_ = std::max(witnessed_epoch_, epoch);
    return {};
}

std::uint64_t MemoryLog::witnessed_epoch() const {
    std::lock_guard const lock(mutex_);
    return std::max(witnessed_epoch_, epoch_);
}

core::Result<bool> MemoryLog::remove_compacted() {
    std::lock_guard const lock(mutex_);
    auto const* range = ranges_.after(removed_until_);
    if (!range)
        return false;
    removed_until_ = range->last;
    return true;
}

std::uint64_t MemoryLog::bytes_from(core::Sequence first) const {
    std::lock_guard const lock(mutex_);
    std::uint64_t bytes = 0;
    for (auto i = std::max<std::uint64_t>(first.value, 1); i <= records_.size(); ++i)
        if (core::Sequence{i} > removed_until_ || !ranges_.find({i}))
            bytes += records_[i - 1].size();
    return bytes;
}

std::optional<std::uint64_t> MemoryLog::free_bytes() const {
    return std::nullopt;
}

std::optional<std::uint64_t> MemoryLog::total_bytes() const {
    return std::nullopt;
}

} // namespace cpm::eventstore
