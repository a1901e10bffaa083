#pragma once

#include "core/result.hpp"
#include "http/message.hpp"
#include "http/read_model.hpp"
#include "manager/user_commands.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cpm::http {

/// Says who calls, and whether they may (HTTP 3.1, 3.5). Decided on the head alone.
///
/// A bearer token is looked for first: an API token on /api, an agent's on /agent, neither in the
/// other's place. Without an Authorization header the session's cookie counts, on /api alone.
class Authentication {
  public:
    /// The last use of an API token or a session is put on disk when it is this much newer than
    /// what is there.
    static constexpr core::seconds kUseNoted{60};

    explicit Authentication(ReadModel const& model)
        : model_(model) {}

    /// The caller of a request whose route asks for `access`. On a route for anyone a credential
    /// that is no good makes the caller Nobody. Fails with NotSignedIn, NotAllowed or Gone.
    core::Result<Caller> identify(Request const& request, Access access, core::Now now);

    /// Whether what the caller came with still counts: not signed out, revoked, expired, disabled.
    bool still_counts(Caller const& caller, core::Now now) const;

    /// Whether a session has not ended: it is neither expired nor idle, and its user may sign in.
    /// Of its use before the manager's start only what was put on disk is known, so it may end a
    /// minute early; a restart never makes it live longer.
    bool counts(manager::Session const& session, core::Now now) const;
    /// When it ends at the latest: the setting may be shorter now than when it was opened.
    core::WallTime expires_at(manager::Session const& session) const;
    /// When it last made a request; none: none is known.
    std::optional<core::WallTime> last_request(manager::Session const& session) const;

    std::optional<core::WallTime> last_used(manager::ApiToken const& token) const;
    /// The uses that are to be put on disk.
    manager::NoteUses uses_to_note() const;

    /// Forgets what is known of sessions that ended. Call it now and then.
    void forget_ended();

  private:
    core::Result<Caller> by_bearer(Request const& request, std::string_view token, core::Now now);
    std::optional<Caller> by_cookie(Request const& request, core::Now now);

    struct HashOf {
        std::size_t operator()(core::Hash const& hash) const noexcept;
    };

    ReadModel const& model_;
    /// When a session last made a request; one that is not here made none since the start.
    std::unordered_map<core::Hash, core::Now, HashOf> last_request_;
    std::unordered_map<core::Hash, core::WallTime, HashOf> token_used_; ///< since the start
};

/// Refuses a change that another site makes a browser send: with a session's cookie it needs this
/// site's Origin (or Sec-Fetch-Site: same-origin), and no change may come from another one.
/// `public_url`: the site's address where a proxy stands before it, or empty.
core::Result<void>
check_origin(Request const& request, Caller const& caller, std::string_view public_url);

/// Agents call over plain HTTP only from this machine, unless the setting allows it.
core::Result<void> check_plain_http(Request const& request, Access access, bool allowed);

/// Set-Cookie for a session just opened, and for one that ended.
std::string session_cookie(Request const& request, std::string_view secret, core::seconds lifetime);
std::string ended_session_cookie(Request const& request);

} // namespace cpm::http
