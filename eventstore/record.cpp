#include "eventstore/record.hpp"

#include "eventstore/codec.hpp"
#include "eventstore/hash.hpp"

namespace cpm::eventstore {
namespace {

std::string name(core::Sequence sequence) {
    return "event " + std::to_string(sequence.value);
}

tl::unexpected<core::Error> corrupt(core::Sequence sequence, std::string const& why) {
    return core::fail(core::ErrorCode::Corrupt, name(sequence) + ": " + why);
}

} // namespace

core::Result<NewRecords>
chain(Head const& head, core::Sequence after, std::span<core::Event const> events) {
    if (after != head.sequence)
        return core::fail(
            core::ErrorCode::Fenced,
            "the batch follows " + name(after) + ", but the log ends at " + name(head.sequence) +
                ": another writer took over"
        );
    NewRecords batch{{}, head};
    batch.records.reserve(events.size());
    for (core::Event const& event : events) {
        if (event.sequence != batch.head.sequence.next())
            return core::fail(
                core::ErrorCode::Validation,
                name(event.sequence) + " stands where " + name(batch.head.sequence.next()) +
                    " must come"
            );
        if (auto const* accepted = std::get_if<core::RollbackAccepted>(&event.payload)) {
            if (accepted->epoch <= batch.head.epoch)
                return core::fail(
                    core::ErrorCode::Validation,
                    "epoch: must be higher than " + std::to_string(batch.head.epoch)
                );
            batch.head.epoch = accepted->epoch;
        }
        auto bytes = encode(event, batch.head.hash);
        if (!bytes)
            return tl::make_unexpected(std::move(bytes.error()));
        batch.head.sequence = event.sequence;
        batch.head.hash = sha256(*bytes);
        batch.records.push_back({std::move(*bytes), batch.head.hash});
    }
    return batch;
}

core::Result<StoredEvent> open_record(
    core::Sequence sequence, std::span<std::uint8_t const> bytes, core::Hash const* previous
) {
    auto record = decode(bytes);
    if (!record)
        return corrupt(sequence, record.error().detail);
    if (record->event.sequence != sequence)
        return corrupt(sequence, "its record is that of " + name(record->event.sequence));
    if (previous && record->previous != *previous)
        return corrupt(
            sequence,
            "it does not follow the record before it: one of the two was changed, or another was "
            "dropped between them"
        );
    return StoredEvent{std::move(record->event), sha256(bytes), bytes};
}

bool concerns(core::Event const& event, core::ServerId server) {
    if (server)
        return event.server == server;
    return !event.server || std::holds_alternative<core::ServerAdded>(event.payload) ||
           std::holds_alternative<core::ServerUpdated>(event.payload);
}

tl::unexpected<core::Error> missing_record(core::Sequence sequence) {
    return corrupt(sequence, "its record is missing");
}

} // namespace cpm::eventstore
