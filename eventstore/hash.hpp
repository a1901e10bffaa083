#pragma once

#include "core/hash.hpp"

#include <cstdint>
#include <span>

namespace cpm::eventstore {

/// SHA-256, by libsodium. The log's integrity check: the FlatBuffers Verifier is none.
core::Hash sha256(std::span<std::uint8_t const> bytes);

/// 32 bytes of the kernel's randomness: the id of a new log.
core::Hash random_log_id();

} // namespace cpm::eventstore
