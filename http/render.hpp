#pragma once

#include "core/time.hpp"
#include "http/message.hpp"

#include <string>

namespace cpm::http {

/// How a response goes out.
struct Framing {
    bool keep_alive = true;
    bool head_only = false; ///< the answer to a HEAD
    bool secure = false;    ///< over TLS
};

/// The status line and all fields, with the security headers that every response carries (HTTP
/// 3.5). Throws std::logic_error when a handler made a field that would break the head: the door
/// answers 500.
std::string render_head(Response const& response, Framing framing, core::WallTime now);

/// "Sat, 21 Nov 2026 09:00:00 GMT" (RFC 9110 section 5.6.7).
std::string to_http_date(core::WallTime time);

} // namespace cpm::http
