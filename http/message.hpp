#pragma once

#include "core/actor.hpp"
#include "core/hash.hpp"
#include "core/ids.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cpm::http {

enum class Method : std::uint8_t { Get, Post, Put, Patch, Delete };

/// A request whose head passed every check of the door (HTTP 3.5). Plain data: no handler sees
/// Beast.
struct Request {
    Method method{};
    std::string path;                                       ///< percent-decoded, without the query
    std::vector<std::pair<std::string, std::string>> query; ///< decoded, in order
    std::vector<std::pair<std::string, std::string>>
        headers; ///< names in lower case; of the head alone, never trailers
    std::string body;
    std::string peer; ///< the caller's address, as text
    bool from_loopback = false;
    bool secure = false;               ///< over TLS
    std::vector<std::string> captures; ///< what the route's {…} matched, in order
    std::string_view route{};          ///< its pattern, once it is known

    std::optional<std::string_view> header(std::string_view lower_case_name) const;
    std::optional<std::string_view> parameter(std::string_view name) const;
};

/// The rest of a response that has no end yet: the connection belongs to it until it ends, then
/// closes. Ends also when the peer goes away or the manager stops.
class ResponseStream {
  public:
    virtual ~ResponseStream() = default;
    /// Waits for the next bytes; null: the stream has ended.
    virtual boost::asio::awaitable<std::shared_ptr<std::string const>> next() = 0;
    /// Ends it: a waiting next() returns null.
    virtual void end() = 0;
    /// Ends it because its reader is too slow, which is counted.
    virtual void drop() = 0;
};

struct Response {
    int status = 200;
    std::string body{};
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{};
    bool close = false;                       ///< the connection ends with this response
    std::shared_ptr<ResponseStream> stream{}; ///< follows `body`
};

/// Whose credential came with the request.
enum class CallerKind : std::uint8_t { Nobody, Session, Token, Agent };

struct Caller {
    CallerKind kind = CallerKind::Nobody;
    core::Actor actor;
    core::Role role = core::Role::Viewer; ///< of a session or token
    core::ServerId server;                ///< of an agent
    core::Hash session{};                 ///< hash of the cookie's value
    core::Hash token{};                   ///< hash of the API token, or of the agent's
};

/// Who may call a route.
enum class Access : std::uint8_t {
    Anyone,
    Viewer,   ///< people who may read
    Operator, ///< and power, dismiss
    Admin,    ///< and all else
    Agent,    ///< an agent's credential, on /agent/ alone
    Joining,  ///< no credential: the join token is in the body. Plain HTTP is limited as for agents
};

} // namespace cpm::http
