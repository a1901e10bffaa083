#pragma once

#include "http/head.hpp"
#include "http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cpm::http {

/// A head that passed every check.
struct CheckedHead {
    Request request; ///< without a body and without what only the connection knows
    std::size_t content_length = 0;
    bool head_only = false; ///< a HEAD: a GET whose answer has no body
    bool keep_alive = true;
};

/// The names this manager answers to.
struct OwnNames {
    std::string_view local_address; ///< the address the connection came in on, as text
    std::span<std::string const> names;
};

/// All the rules of framing (HTTP 3.5) on a head that was split: pure, and without Beast. Whatever
/// two parsers could read in two ways is refused.
Checked<CheckedHead> check_head(Head const& head, OwnNames const& own);

/// The host of "host:port", in lower case, an IPv6 address without its brackets; empty when it
/// cannot be read.
std::string host_of(std::string_view authority);

} // namespace cpm::http
