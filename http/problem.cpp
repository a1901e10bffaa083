#include "http/problem.hpp"

#include "core/assert.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace cpm::http {
namespace {

namespace json = boost::json;

struct Row {
    core::ErrorCode code;
    ProblemKind kind;
};

using enum core::ErrorCode;

// In the order of the enumeration; the titles are for people and may change, the types may not.
constexpr std::array kProblems{
    Row{Malformed, {400, "/problems/malformed", "The request cannot be read"}},
    Row{Validation, {422, "/problems/validation", "A field is missing or wrong"}},
    Row{NotSignedIn, {401, "/problems/not-signed-in", "Not signed in"}},
    Row{NotAllowed, {403, "/problems/not-allowed", "Not allowed"}},
    Row{NotFound, {404, "/problems/not-found", "There is no such thing"}},
    Row{Gone, {410, "/problems/gone", "The server was removed"}},
    Row{Conflict, {409, "/problems/conflict", "Something else is in the way"}},
    Row{Stale, {412, "/problems/stale", "It was changed meanwhile"}},
    Row{StandbyOpen, {409, "/problems/standby", "A power change is under way"}},
    Row{Protected, {409, "/problems/protected", "The server is protected"}},
    Row{OwnHost, {409, "/problems/own-host", "The manager runs or may run on this server"}},
    Row{SetAside, {409, "/problems/set-aside", "Two machines report as this server"}},
    Row{WrongMachine, {409, "/problems/wrong-machine", "This machine is not that server"}},
    Row{Throttled, {429, "/problems/throttled", "Too many tries"}},
    Row{KeyReused, {422, "/problems/key-reused", "The idempotency key was used before"}},
    Row{Starting, {503, "/problems/starting", "Not serving"}},
    Row{RolledBack, {503, "/problems/rolled-back", "The event log was rolled back"}},
    Row{Fenced, {503, "/problems/fenced", "Another writer took over"}},
    Row{NoSpace, {507, "/problems/no-space", "The disk is nearly full"}},
    Row{Storage, {503, "/problems/storage", "The storage failed"}},
    Row{Corrupt, {500, "/problems/corrupt", "The event log is damaged"}},
    Row{MinOn, {409, "/problems/min-on", "Too few servers of a tag would be wanted ON"}},
    Row{Confirm, {409, "/problems/confirm", "This must be confirmed"}},
};

constexpr bool is_complete() {
    for (std::size_t i = 0; i < kProblems.size(); ++i)
        if (kProblems[i].code != static_cast<core::ErrorCode>(i))
            return false;
    return kProblems.back().code == Confirm;
}
static_assert(is_complete());

struct PlainProblem {
    int status;
    std::string_view type;
    std::string_view phrase;
};

constexpr std::array kPlain{
    PlainProblem{400, "/problems/malformed", "Bad Request"},
    PlainProblem{401, "/problems/not-signed-in", "Unauthorized"},
    PlainProblem{403, "/problems/not-allowed", "Forbidden"},
    PlainProblem{404, "/problems/not-found", "Not Found"},
    PlainProblem{405, "/problems/method", "Method Not Allowed"},
    PlainProblem{408, "/problems/timeout", "Request Timeout"},
    PlainProblem{409, "/problems/conflict", "Conflict"},
    PlainProblem{410, "/problems/gone", "Gone"},
    PlainProblem{411, "/problems/length-required", "Length Required"},
    PlainProblem{412, "/problems/stale", "Precondition Failed"},
    PlainProblem{413, "/problems/too-large", "Content Too Large"},
    PlainProblem{414, "/problems/target-too-long", "URI Too Long"},
    PlainProblem{415, "/problems/media-type", "Unsupported Media Type"},
    PlainProblem{417, "/problems/expectation", "Expectation Failed"},
    PlainProblem{421, "/problems/wrong-host", "Misdirected Request"},
    PlainProblem{422, "/problems/validation", "Unprocessable Content"},
    PlainProblem{429, "/problems/too-many", "Too Many Requests"},
    PlainProblem{431, "/problems/head-too-large", "Request Header Fields Too Large"},
    PlainProblem{500, "/problems/internal", "Internal Server Error"},
    PlainProblem{501, "/problems/not-implemented", "Not Implemented"},
    PlainProblem{503, "/problems/starting", "Service Unavailable"},
    PlainProblem{505, "/problems/version", "HTTP Version Not Supported"},
    PlainProblem{507, "/problems/no-space", "Insufficient Storage"},
};

json::object base(int status, std::string_view type, std::string_view title, std::string_view why) {
    return {{"type", type}, {"title", title}, {"status", status}, {"detail", why}};
}

Response as_response(int status, json::object const& body) {
    Response response{.status = status, .body = json::serialize(body)};
    response.content_type = "application/problem+json";
    if (status == 401)
        response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

/// How long to wait before asking again; 0: it is not a matter of time.
long long retry_after(core::Error const& error) {
    if (error.code == StandbyOpen || error.code == Throttled)
        return std::max(1LL, error.remaining_seconds);
    return error.code == Starting ? 1 : 0;
}

} // namespace

ProblemKind const& problem_kind(core::ErrorCode code) {
    return kProblems.at(static_cast<std::size_t>(code)).kind;
}

json::object problem_json(core::Error const& error, core::WallTime now) {
    auto const& kind = problem_kind(error.code);
    auto body = base(kind.status, kind.type, kind.title, error.detail);
    if (!error.fields.empty()) {
        json::array fields;
        for (auto const& [field, message] : error.fields)
            fields.push_back(json::object{{"field", field}, {"message", message}});
        body["errors"] = std::move(fields);
    }
    if (error.code == StandbyOpen || error.code == Throttled)
        body["remaining_seconds"] = error.remaining_seconds;
    if (error.code == StandbyOpen)
        body["standby_until"] = core::to_rfc3339(now + core::seconds(error.remaining_seconds));
    return body;
}

Response problem(core::Error const& error, core::WallTime now) {
    auto response = as_response(problem_kind(error.code).status, problem_json(error, now));
    if (auto const wait = retry_after(error); wait > 0)
        response.headers.emplace_back("Retry-After", std::to_string(wait));
    return response;
}

Response problem(int status, std::string detail) {
    auto const found = std::ranges::find(kPlain, status, &PlainProblem::status);
    ASSERT(found != kPlain.end());
    auto response = as_response(status, base(status, found->type, found->phrase, detail));
    if (status == 429) // places are given back all the time
        response.headers.emplace_back("Retry-After", "1");
    return response;
}

std::string_view reason_phrase(int status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    }
    auto const found = std::ranges::find(kPlain, status, &PlainProblem::status);
    return found == kPlain.end() ? "" : found->phrase;
}

} // namespace cpm::http
