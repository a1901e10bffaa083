#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>
#include <vector>

namespace cpm::core {

/// Why something was not done. HTTP maps each to a status and a problem type in one table
/// (http/problem.cpp).
enum class ErrorCode {
    Malformed,    ///< cannot be read at all (bad JSON, bad encoding)
    Validation,   ///< a field is missing or out of range: see Error::fields
    NotSignedIn,  ///< no valid credential
    NotAllowed,   ///< a valid credential without the right
    NotFound,     ///< there is no such thing
    Gone,         ///< the server was removed
    Conflict,     ///< another thing is in the way (a name, a MAC)
    Stale,        ///< If-Match names an older version
    StandbyOpen,  ///< a power change is under way; see Error::remaining
    Protected,    ///< OFF of a protected server without its name
    OwnHost,      ///< OFF of the machine the manager runs on
    SetAside,     ///< OFF of a server whose agent was set aside
    WrongMachine, ///< a join from a machine that is not this server
    Throttled,    ///< too many failures; see Error::remaining
    KeyReused,    ///< the idempotency key came with another body
    Starting,     ///< not serving yet, or no longer
    RolledBack,   ///< the log is older than a witness
    Fenced,       ///< another writer took over
    NoSpace,      ///< the disk reserve is reached
    Storage,      ///< the storage failed
    Corrupt,      ///< the log cannot be trusted
    MinOn,        ///< OFF would leave too few servers of a tag wanted ON
    Confirm,      ///< needs the password again, or the number of servers; see Error::fields
};

/// One faulty field of a request: its name as in the API, and what was expected. Of a guard's
/// refusal: the field that would confirm the request.
struct FieldError {
    std::string field;
    std::string message;
    bool operator==(FieldError const&) const = default;
};

/// A refusal or failure: a value, told to the one who asked. `detail` is one plain sentence that
/// says what to do next.
struct Error {
    ErrorCode code{};
    std::string detail;
    std::vector<FieldError> fields{};
    /// Whole seconds to wait (StandbyOpen, Throttled), else 0.
    long long remaining_seconds = 0;
    bool operator==(Error const&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string detail) {
    return tl::make_unexpected(Error{code, std::move(detail)});
}

/// A Validation failure that names one field.
inline tl::unexpected<Error> invalid(std::string field, std::string message) {
    Error error{ErrorCode::Validation, field + ": " + message};
    error.fields.push_back({std::move(field), std::move(message)});
    return tl::make_unexpected(std::move(error));
}

} // namespace cpm::core
