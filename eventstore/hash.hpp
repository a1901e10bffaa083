#pragma once

#include "core/hash.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cpm::eventstore {

/// SHA-256, by libsodium. The log's integrity check: the FlatBuffers Verifier is none.
core::Hash sha256(std::span<std::uint8_t const> bytes);

/// 32 bytes of the kernel's randomness: the id of a new log.
core::Hash random_log_id();

/// 64 lower-case hexadecimal digits.
std::string to_hex(core::Hash const& hash);
/// Reads exactly that form.
std::optional<core::Hash> parse_hash(std::string_view hex);

} // namespace cpm::eventstore
