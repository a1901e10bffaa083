#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cpm::http {

inline constexpr std::size_t kMaxHead = 8 * 1024; ///< request line, fields and the empty line
inline constexpr std::size_t kMaxTarget = 2 * 1024;
inline constexpr std::size_t kMaxFields = 64;

/// Why the door turns a request away. The connection always closes after it.
struct Refusal {
    int status = 400;
    std::string detail; ///< one sentence: what is wrong, and what is accepted
    bool operator==(Refusal const&) const = default;
};

template <class T>
using Checked = tl::expected<T, Refusal>;

/// A request's head as it came, split but not yet believed.
struct Head {
    std::string method;
    std::string target;
    unsigned version = 11;                                   ///< 10 or 11
    std::vector<std::pair<std::string, std::string>> fields; ///< names in lower case, in order
};

/// How many of the bytes are the head, its empty line included; 0: the end has not come yet.
/// Refuses what no later byte can make good: a head over its limit, folded lines, lines that do not
/// end with CR LF, control characters (parsers differ on these, and that is how requests are
/// smuggled).
Checked<std::size_t> scan_head(std::string_view bytes);

/// Splits a complete head (Beast does).
Checked<Head> parse_head(std::string_view bytes);

} // namespace cpm::http
