#pragma once

#include "core/hash.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cpm::core {

/// 64 lower-case hexadecimal digits.
std::string to_hex(Hash const& hash);
/// Reads exactly that form.
std::optional<Hash> parse_hash(std::string_view hex);

} // namespace cpm::core
