#include "tests/sim/disk.hpp"

#include <algorithm>

namespace cpm::sim {
namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kJournal = 64; ///< a process that ends has far fewer writes under way

} // namespace

std::uint8_t const* Disk::keep(std::span<std::uint8_t const> bytes) {
    if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < bytes.size()) {
        blocks_.emplace_back();
        blocks_.back().reserve(std::max(kBlock, bytes.size()));
    }
    auto& block = blocks_.back();
    auto const* at = block.data() + block.size();
    block.insert(block.end(), bytes.begin(), bytes.end());
    return at;
}

void Disk::note(Time done, decltype(Undo::old) old) {
    while (journal_.size() > kJournal)
        journal_.pop_front();
    journal_.push_back({done, std::move(old)});
}

void Disk::append(
    eventstore::NewRecords&& batch, std::span<eventstore::RecordChange const> changes, Time done
) {
    OldRecords old{records_.size(), rest_.epoch, {}, rest_.rolled_back};
    for (auto const& record : batch.records)
        records_.push_back(
            {keep(record.bytes), static_cast<std::uint32_t>(record.bytes.size()), record.hash}
        );
    if (batch.head.epoch != rest_.epoch)
        rest_.rolled_back.reset();
    rest_.epoch = batch.head.epoch;
    for (auto const& change : changes) {
        Tables::key_type key(change.table, change.key);
        auto const at = rest_.tables.find(key);
        old.values.emplace_back(
            key, at == rest_.tables.end() ? std::nullopt : std::optional(at->second)
        );
        if (change.value)
            rest_.tables[std::move(key)] = *change.value;
        else if (at != rest_.tables.end())
            rest_.tables.erase(at);
    }
    note(done, std::move(old));
}

void Disk::put_witness(eventstore::Head const& head, Time done) {
    note(done, OldWitness{std::exchange(rest_.witness, head)});
}

void Disk::put_unconfirmed(std::optional<core::Sequence> from, Time done) {
    note(done, OldUnconfirmed{std::exchange(rest_.unconfirmed, from)});
}

void Disk::put_rolled_back(std::optional<RolledBack> note_, Time done) {
    note(done, OldRolledBack{std::exchange(rest_.rolled_back, std::move(note_))});
}

void Disk::shrink(std::size_t count) {
    records_.resize(std::min(count, records_.size())); // their bytes stay, unused
}

void Disk::undo(Undo& write) {
    if (auto* records = std::get_if<OldRecords>(&write.old)) {
        shrink(records->count);
        rest_.epoch = records->epoch;
        rest_.rolled_back = std::move(records->rolled_back);
        for (auto& [key, value] : records->values)
            if (value)
                rest_.tables[key] = std::move(*value);
            else
                rest_.tables.erase(key);
    } else if (auto* witness = std::get_if<OldWitness>(&write.old))
        rest_.witness = witness->head;
    else if (auto* unconfirmed = std::get_if<OldUnconfirmed>(&write.old))
        rest_.unconfirmed = unconfirmed->from;
    else
        rest_.rolled_back = std::move(std::get<OldRolledBack>(write.old).note);
}

std::size_t Disk::crash(Time now, bool keeps_first) {
    auto const before = records_.size();
    auto first =
        std::ranges::find_if(journal_, [&](auto const& write) { return write.done > now; });
    if (keeps_first && first != journal_.end())
        ++first;
    for (auto at = journal_.end(); at != first;)
        undo(*--at);
    journal_.erase(first, journal_.end());
    return before - records_.size();
}

Disk::Rest Disk::rest_of() const {
    auto rest = rest_;
    rest.records = records_.size();
    return rest;
}

void Disk::put_back(Rest const& copy) {
    rest_ = copy;
    shrink(copy.records);
    journal_.clear();
}

std::size_t Disk::cut_short(std::size_t batches) {
    auto const before = records_.size();
    for (auto at = journal_.rbegin(); at != journal_.rend() && batches > 0; ++at)
        if (std::holds_alternative<OldRecords>(at->old)) {
            undo(*at);
            --batches;
        }
    journal_.clear();
    return before - records_.size();
}

eventstore::Head Disk::head() const {
    return {rest_.epoch, {records_.size()}, records_.empty() ? log_id_ : records_.back().hash};
}

core::Result<eventstore::StoredEvent> Disk::stored(core::Sequence sequence) const {
    if (sequence.value == 0 || sequence.value > records_.size())
        return eventstore::missing_record(sequence);
    auto const& record = records_[sequence.value - 1];
    auto const* previous = sequence.value == 1 ? &log_id_ : &records_[sequence.value - 2].hash;
    return eventstore::open_record(sequence, {record.bytes, record.size}, previous);
}

} // namespace cpm::sim
