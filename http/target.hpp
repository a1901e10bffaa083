#pragma once

#include "http/head.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cpm::http {

/// A request target, decoded.
struct Target {
    std::string authority; ///< of an absolute target, else empty
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;
};

/// Reads "/path?query" or "http://authority/path?query". Refuses bytes outside the URI set, broken
/// escapes, and escapes that decode to a slash, a backslash, a control character or no UTF-8: they
/// would mean one thing here and another elsewhere.
Checked<Target> parse_target(std::string_view text);

} // namespace cpm::http
