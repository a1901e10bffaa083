#pragma once

#include "http/json_input.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace cpm::http {

inline constexpr std::size_t kMaxPassword = 1024; ///< bytes
inline constexpr std::size_t kLeastPassword = 12; ///< characters

/// A new password (HTTP 3.5): at least 12 characters long. A fault when it is missing or shorter.
std::string read_new_password(Fields& fields, std::string_view name);

} // namespace cpm::http
