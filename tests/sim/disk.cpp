#include "tests/sim/disk.hpp"

#include <algorithm>
#include <utility>

namespace cpm::sim {
namespace {

constexpr std::size_t kJournal = 64; ///< a process that ends has far fewer writes under way
constexpr Time kWithTheNext = Time::max();

} // namespace

// --- writes

void Disk::note(Time done, decltype(Undo::old) old) {
    while (journal_.size() > kJournal)
        journal_.pop_front();
    journal_.push_back({done, std::move(old)});
}

void Disk::append(Batch const& batch, Time done) {
    OldRecords old{size(), content_.epoch, content_.ranges.size(), {}, content_.rolled_back};
    for (auto const& record : batch.records.records)
        content_.records.append(record);
    content_.epoch = batch.records.head.epoch;
    if (!content_.is_rolled_back())
        content_.rolled_back.reset();
    content_.ranges.insert(content_.ranges.end(), batch.ranges.begin(), batch.ranges.end());
    for (auto const& change : batch.changes) {
        Tables::key_type key(change.table, change.key);
        auto const at = content_.tables.find(key);
        old.values.emplace_back(
            key, at == content_.tables.end() ? std::nullopt : std::optional(at->second)
        );
        if (change.value)
            content_.tables[std::move(key)] = *change.value;
        else if (at != content_.tables.end())
            content_.tables.erase(at);
    }
    for (auto& write : journal_) // one sync for all that was written before
        write.done = std::min(write.done, done);
    note(done, std::move(old));
}

void Disk::remove(core::HeartbeatsCompacted const& range) {
    OldRange old{content_.removed_until, content_.records.remove(range.first, range.last)};
    content_.removed_until = range.last;
    note(kWithTheNext, std::move(old));
}

void Disk::put_witness(eventstore::Head const& head, Time done) {
    note(done, OldWitness{std::exchange(content_.witness, head)});
}

void Disk::put_unconfirmed(std::optional<core::Sequence> from, Time done) {
    note(done, OldUnconfirmed{std::exchange(content_.unconfirmed, from)});
}

void Disk::put_rolled_back(std::optional<RolledBack> note_, Time done) {
    note(done, OldRolledBack{std::exchange(content_.rolled_back, std::move(note_))});
}

// --- what happens to it

void Disk::undo(Undo& write) {
    if (auto* records = std::get_if<OldRecords>(&write.old)) {
        content_.records.shrink(records->count);
        content_.epoch = records->epoch;
        content_.ranges.resize(records->ranges);
        content_.rolled_back = std::move(records->rolled_back);
        for (auto& [key, value] : records->values)
            if (value)
                content_.tables[key] = std::move(*value);
            else
                content_.tables.erase(key);
    } else if (auto const* range = std::get_if<OldRange>(&write.old)) {
        content_.records.restore(range->removed);
        content_.removed_until = range->removed_until;
    } else if (auto const* witness = std::get_if<OldWitness>(&write.old))
        content_.witness = witness->head;
    else if (auto const* unconfirmed = std::get_if<OldUnconfirmed>(&write.old))
        content_.unconfirmed = unconfirmed->from;
    else
        content_.rolled_back = std::move(std::get<OldRolledBack>(write.old).note);
}

std::size_t Disk::crash(Time now, bool keeps_first, bool power_cut) {
    auto const before = size();
    auto const is_undone = [&](Undo const& write) {
        return write.done > now && (power_cut || write.done != kWithTheNext);
    };
    auto first = std::ranges::find_if(journal_, is_undone);
    if (keeps_first && first != journal_.end())
        ++first;
    for (auto at = journal_.end(); at != first;)
        undo(*--at);
    journal_.erase(first, journal_.end());
    return before - size();
}

bool Disk::has_undone(Time now) const {
    return std::ranges::any_of(journal_, [&](Undo const& write) {
        return write.done > now && write.done != kWithTheNext;
    });
}

void Disk::put_back(Content const& copy, bool with_snapshots) {
    auto there = std::move(content_.snapshots);
    content_ = copy;
    if (!with_snapshots)
        content_.snapshots = std::move(there);
    journal_.clear();
}

std::size_t Disk::cut_short(std::size_t batches) {
    auto const before = size();
    for (auto at = journal_.rbegin(); at != journal_.rend() && batches > 0; ++at) {
        bool const is_batch = std::holds_alternative<OldRecords>(at->old);
        if (is_batch || std::holds_alternative<OldRange>(at->old))
            undo(*at);
        batches -= is_batch ? 1 : 0;
    }
    journal_.clear();
    return before - size();
}

// --- what it holds

eventstore::Head Disk::head() const {
    core::Sequence const last{size()};
    return {content_.epoch, last, *hash_of(last)};
}

core::Hash const* Disk::hash_of(core::Sequence sequence) const {
    if (!sequence)
        return &log_id_;
    auto const* record = content_.records.find(sequence);
    return record ? &record->hash : nullptr;
}

core::HeartbeatsCompacted const* Disk::removed(core::Sequence sequence) const {
    if (sequence > content_.removed_until)
        return nullptr;
    auto const& ranges = content_.ranges;
    auto const after =
        std::ranges::upper_bound(ranges, sequence, {}, &core::HeartbeatsCompacted::first);
    if (after == ranges.begin() || std::prev(after)->last < sequence)
        return nullptr;
    return &*std::prev(after);
}

core::Result<eventstore::StoredEvent> Disk::stored(core::Sequence sequence) const {
    auto const* record = content_.records.find(sequence);
    if (!record)
        return eventstore::missing_record(sequence);
    core::Sequence const before{sequence.value - 1};
    auto const* previous = hash_of(before);
    if (auto const* range = previous ? nullptr : removed(before))
        previous = &range->last_hash;
    if (!previous)
        return eventstore::missing_record(before);
    return eventstore::open_record(sequence, record->span(), previous);
}

core::Result<void>
Disk::read(core::Sequence first, core::Sequence last, eventstore::EventVisitor const& visit) const {
    last = std::min(last, core::Sequence{size()});
    for (auto at = std::max(first, core::Sequence{1}); at <= last; at = at.next()) {
        if (auto const* range = removed(at)) {
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

} // namespace cpm::sim
