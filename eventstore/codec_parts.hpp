#pragma once

// What the codec's own files share: internal to it. The generated types are only declared here,
// because FlatBuffers headers stay in sources.

#include "core/event.hpp"
#include "eventstore/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace flatbuffers {
class FlatBufferBuilder;
template <typename T>
struct Offset;
} // namespace flatbuffers

namespace cpm::eventstore::wire {
enum class ActorKind : std::uint8_t;
enum class ActualStatus : std::uint8_t;
enum class ErrorCode : std::uint8_t;
enum class HeartbeatStatus : std::uint8_t;
enum class IgnoredBecause : std::uint8_t;
enum class Leaving : std::uint8_t;
enum class OffMethod : std::uint8_t;
enum class OrderWay : std::uint8_t;
enum class PayloadData : std::uint8_t;
enum class PowerStatus : std::uint8_t;
enum class Role : std::uint8_t;
enum class Standby : std::uint8_t;
} // namespace cpm::eventstore::wire

namespace cpm::eventstore {

/// The reading of one record: its first fault (empty: none so far), and how much text it may still
/// unfold to. Several fields of a hostile record may point at the same text; an honest one is never
/// longer decoded than encoded.
struct Reading {
    std::string fault;
    std::size_t text_left = kMaxRecordBytes;

    void note(std::string what) {
        if (fault.empty())
            fault = std::move(what);
    }
};

// Words, both ways (codec_words.cpp). A value the schema does not know is noted as a fault that
// names it.
wire::ActorKind to_wire(core::ActorKind value);
wire::ActualStatus to_wire(core::ActualStatus value);
wire::ErrorCode to_wire(core::ErrorCode value);
wire::HeartbeatStatus to_wire(core::HeartbeatStatus value);
wire::IgnoredBecause to_wire(core::IgnoredBecause value);
wire::Leaving to_wire(core::Leaving value);
wire::OffMethod to_wire(core::OffMethod value);
wire::OrderWay to_wire(core::OrderWay value);
wire::PowerStatus to_wire(core::PowerStatus value);
wire::Role to_wire(core::Role value);
wire::Standby to_wire(core::Standby value);

core::ActorKind from_wire(wire::ActorKind value, Reading& reading);
core::ActualStatus from_wire(wire::ActualStatus value, Reading& reading);
core::ErrorCode from_wire(wire::ErrorCode value, Reading& reading);
core::HeartbeatStatus from_wire(wire::HeartbeatStatus value, Reading& reading);
core::IgnoredBecause from_wire(wire::IgnoredBecause value, Reading& reading);
core::Leaving from_wire(wire::Leaving value, Reading& reading);
core::OffMethod from_wire(wire::OffMethod value, Reading& reading);
core::OrderWay from_wire(wire::OrderWay value, Reading& reading);
core::PowerStatus from_wire(wire::PowerStatus value, Reading& reading);
core::Role from_wire(wire::Role value, Reading& reading);
core::Standby from_wire(wire::Standby value, Reading& reading);

/// codec_write.cpp; the union's type is the payload's index + 1.
flatbuffers::Offset<void>
write_payload(flatbuffers::FlatBufferBuilder& builder, core::Payload const& payload);

/// codec_read.cpp; `table` is verified and of that type.
core::Payload read_payload(wire::PayloadData type, void const* table, Reading& reading);

} // namespace cpm::eventstore
