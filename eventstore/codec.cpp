#include "eventstore/codec.hpp"

#include "eventstore/codec_parts.hpp"

#include <algorithm>
#include <cstring>
#include <event_generated.h>

namespace cpm::eventstore {
namespace {

// A record nests four tables at most (record, payload, configuration, wake settings), and only
// SettingsChanged has one a setting. The Verifier's own limits let 160 KB keep it busy for seconds.
constexpr flatbuffers::uoffset_t kMaxDepth = 8;
constexpr flatbuffers::uoffset_t kMaxTables = 512;

bool is_sound(std::span<std::uint8_t const> bytes) {
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaxDepth, kMaxTables);
    return wire::VerifyRecordBuffer(verifier);
}

tl::unexpected<core::Error> corrupt(std::string why) {
    return core::fail(core::ErrorCode::Corrupt, std::move(why));
}

core::Result<DecodedRecord> decode_aligned(std::span<std::uint8_t const> bytes) {
    if (!is_sound(bytes))
        return corrupt("it is no record of this log's schema");
    auto const& w = *wire::GetRecord(bytes.data());

    Reading reading;
    DecodedRecord record;
    core::Event& event = record.event;
    event.sequence = {w.sequence()};
    event.decision = {w.decision()};
    event.at = core::WallTime(std::chrono::microseconds(w.at()));
    event.server = {w.server()};
    event.actor.kind = from_wire(w.actor(), reading);
    if (auto const* name = w.actor_name()) {
        event.actor.name = name->str();
        reading.text_left -= name->size();
    }
    event.cause = {w.cause()};
    if (auto const actual = w.actual())
        event.actual = from_wire(*actual, reading);
    std::copy(
        w.previous()->bytes()->begin(), w.previous()->bytes()->end(), record.previous.begin()
    );
    event.payload = read_payload(w.payload_type(), w.payload(), reading);
    if (!reading.fault.empty())
        return corrupt(std::move(reading.fault));
    return record;
}

} // namespace

core::Result<std::vector<std::uint8_t>>
encode(core::Event const& event, core::Hash const& previous) {
    flatbuffers::FlatBufferBuilder builder(512);
    auto const payload = write_payload(builder, event.payload);
    flatbuffers::Offset<flatbuffers::String> actor_name;
    if (!event.actor.name.empty())
        actor_name = builder.CreateString(event.actor.name);
    std::optional<wire::ActualStatus> actual;
    if (event.actual)
        actual = to_wire(*event.actual);
    wire::Hash const chain(flatbuffers::span<std::uint8_t const, 32>{previous});
    auto const record = wire::CreateRecord(
        builder,
        event.sequence.value,
        &chain,
        event.decision.value,
        event.at.time_since_epoch().count(),
        event.server.value,
        to_wire(event.actor.kind),
        actor_name,
        event.cause.value,
        actual,
        wire::PayloadData(event.payload.index() + 1),
        payload
    );
    wire::FinishRecordBuffer(builder, record);

    std::span<std::uint8_t const> const bytes(builder.GetBufferPointer(), builder.GetSize());
    // What could not be read back must never get into the log.
    if (bytes.size() > kMaxRecordBytes || !is_sound(bytes))
        return core::fail(
            core::ErrorCode::Validation,
            std::string(core::type_name(event.payload)) + ": an event holds at most " +
                std::to_string(kMaxRecordBytes) + " bytes and some 500 settings; make it smaller"
        );
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

core::Result<DecodedRecord> decode(std::span<std::uint8_t const> bytes) {
    if (bytes.size() > kMaxRecordBytes)
        return corrupt(
            "it has " + std::to_string(bytes.size()) + " bytes; no record has more than " +
            std::to_string(kMaxRecordBytes)
        );
    auto const address = reinterpret_cast<std::uintptr_t>(bytes.data());
    if (address % alignof(std::uint64_t) == 0)
        return decode_aligned(bytes);

    // FlatBuffers reads numbers in place, so a record that lies askew is moved; nearly all fit on
    // the stack.
    alignas(std::uint64_t) std::array<std::uint8_t, 1024> small;
    if (bytes.size() <= small.size()) {
        std::memcpy(small.data(), bytes.data(), bytes.size());
        return decode_aligned({small.data(), bytes.size()});
    }
    std::vector<std::uint64_t> large((bytes.size() + 7) / 8);
    std::memcpy(large.data(), bytes.data(), bytes.size());
    return decode_aligned({reinterpret_cast<std::uint8_t const*>(large.data()), bytes.size()});
}

} // namespace cpm::eventstore
