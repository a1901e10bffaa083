#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "http/message.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>

namespace cpm::http {

// The one place where an error becomes an answer (HTTP 3.1): RFC 9457 application/problem+json.

/// One kind of problem. `type` is stable: people's scripts compare it.
struct ProblemKind {
    int status = 0;
    std::string_view type; ///< "/problems/standby"
    std::string_view title;
};

ProblemKind const& problem_kind(core::ErrorCode code);

/// {type, title, status, detail} and, where the error has them, errors, remaining_seconds and (of
/// an open standby time) standby_until, counted from `now`. For an answer about many things.
boost::json::object problem_json(core::Error const& error, core::WallTime now);

/// The same as a response, with Retry-After where there is something to wait for.
Response problem(core::Error const& error, core::WallTime now);

/// A problem that only the door knows (a limit, the framing): `type` is the status's own,
/// "/problems/too-large".
Response problem(int status, std::string detail);

/// The standard words of a status: "Not Found".
std::string_view reason_phrase(int status);

} // namespace cpm::http
