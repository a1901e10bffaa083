#pragma once

#include "core/event.hpp"
#include "core/hash.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cpm::eventstore {

/// No record is larger. An event that would be is not appended; stored bytes that are do not
/// decode.
inline constexpr std::size_t kMaxRecordBytes = 64 * 1024;

/// What a record's bytes say. `previous` is the hash of the record before, or the log's id in the
/// first one.
struct DecodedRecord {
    core::Event event;
    core::Hash previous{};
    bool operator==(DecodedRecord const&) const = default;
};

/// One event as one FlatBuffers record (eventstore/schema/event.fbs). The bytes depend on the event
/// and `previous` alone. Fails with Validation, naming the limit, when decode() would not take the
/// result.
core::Result<std::vector<std::uint8_t>>
encode(core::Event const& event, core::Hash const& previous);

/// Trusts nothing: size, tables and depth are limited and the structure is verified before a field
/// is touched, and every enumerator is checked. Fails with Corrupt, saying what is wrong. Any
/// alignment of `bytes` will do. That the bytes are the ones once written, only the hash chain can
/// tell.
core::Result<DecodedRecord> decode(std::span<std::uint8_t const> bytes);

} // namespace cpm::eventstore
