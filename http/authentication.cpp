#include "http/authentication.hpp"

#include "manager/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace cpm::http {
namespace {

using core::ErrorCode;

std::string_view cookie_name(Request const& request) {
    return request.secure ? "__Host-cpm" : "cpm";
}

std::string_view trim(std::string_view text) {
    auto const first = text.find_first_not_of(' ');
    if (first == text.npos)
        return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The value of our cookie; none when it is not there, or there twice: one of them is a stranger's.
std::optional<std::string_view> cookie_of(Request const& request) {
    auto rest = request.header("cookie").value_or(std::string_view());
    auto const name = cookie_name(request);
    std::optional<std::string_view> value;
    while (!rest.empty()) {
        auto const end = std::min(rest.find(';'), rest.size());
        auto const pair = trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        auto const equals = pair.find('=');
        if (equals == pair.npos || pair.substr(0, equals) != name)
            continue;
        if (value)
            return std::nullopt;
        value = pair.substr(equals + 1);
    }
    return value;
}

std::optional<std::string_view> bearer_of(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (authorization.size() <= kScheme.size())
        return std::nullopt;
    for (std::size_t i = 0; i < kScheme.size(); ++i)
        if ((authorization[i] | 0x20) != kScheme[i])
            return std::nullopt;
    return trim(authorization.substr(kScheme.size()));
}

bool is_agents_place(Request const& request) {
    return request.path.starts_with("/agent/");
}

tl::unexpected<core::Error> not_signed_in(Access access) {
    return core::fail(
        ErrorCode::NotSignedIn,
        access == Access::Agent
            ? "send this server's agent token: Authorization: Bearer TOKEN"
            : "sign in with POST /api/v1/session, or send an API token: Authorization: Bearer TOKEN"
    );
}

/// The role that an access asks for at least; none where no person may call.
std::optional<core::Role> needed_role(Access access) {
    switch (access) {
    case Access::Viewer: return core::Role::Viewer;
    case Access::Operator: return core::Role::Operator;
    case Access::Admin: return core::Role::Admin;
    case Access::Anyone:
    case Access::Agent:
    case Access::Joining: return std::nullopt;
    }
    return std::nullopt;
}

core::Result<void> check_role(Caller const& caller, Access access) {
    auto const needed = needed_role(access);
    if (!needed || caller.role >= *needed)
        return {};
    return core::fail(
        ErrorCode::NotAllowed,
        fmt::format(
            "this needs the role {}, and yours is {}",
            core::to_string(*needed),
            core::to_string(caller.role)
        )
    );
}

/// "https://cpm.example:8443" of a URL; an Origin is exactly that.
std::string_view origin_of(std::string_view url) {
    auto const scheme = url.find("://");
    if (scheme == url.npos)
        return {};
    return url.substr(0, url.find('/', scheme + 3));
}

bool is_own_origin(Request const& request, std::string_view origin, std::string_view public_url) {
    if (!public_url.empty() && origin == origin_of(public_url))
        return true;
    auto const host = request.header("host").value_or(std::string_view());
    return origin == fmt::format("{}://{}", request.secure ? "https" : "http", host);
}

} // namespace

std::size_t Authentication::HashOf::operator()(core::Hash const& hash) const noexcept {
    std::size_t value = 0; // SHA-256: any bytes of it are as good as all
    std::memcpy(&value, hash.data(), sizeof value);
    return value;
}

core::Result<Caller>
Authentication::identify(Request const& request, Access access, core::Now now) {
    if (access == Access::Joining)
        return Caller{};
    Caller caller;
    if (auto const authorization = request.header("authorization")) {
        auto const bearer = bearer_of(*authorization);
        auto found = bearer ? by_bearer(request, *bearer, now) : not_signed_in(access);
        if (!found && access != Access::Anyone)
            return found;
        caller = found.value_or(Caller{});
    } else if (auto found = by_cookie(request, now)) {
        caller = std::move(*found);
    }
    if (access == Access::Anyone)
        return caller;
    bool const wants_agent = access == Access::Agent;
    if (caller.kind == CallerKind::Nobody || (caller.kind == CallerKind::Agent) != wants_agent)
        return not_signed_in(access);
    if (auto allowed = check_role(caller, access); !allowed)
        return tl::make_unexpected(allowed.error());
    if (caller.kind == CallerKind::Session)
        last_request_.insert_or_assign(caller.session, now);
    if (caller.kind == CallerKind::Token)
        token_used_.insert_or_assign(caller.token, now.wall);
    return caller;
}

core::Result<Caller>
Authentication::by_bearer(Request const& request, std::string_view token, core::Now now) {
    auto const hash = manager::hash_secret(token);
    Caller caller;
    if (is_agents_place(request)) {
        auto const* agent = model_.accounts().find_agent(hash);
        if (!agent)
            return not_signed_in(Access::Agent);
        if (!model_.fleet().find(agent->server))
            return core::fail(ErrorCode::Gone, "this server was removed from the manager");
        caller.kind = CallerKind::Agent;
        caller.actor = {core::ActorKind::Agent, {}};
        caller.server = agent->server;
        caller.token = hash;
        return caller;
    }
    auto const* found = model_.accounts().find_token(hash);
    if (!found)
        return not_signed_in(Access::Viewer);
    if (found->expires_at && *found->expires_at <= now.wall)
        return core::fail(ErrorCode::NotSignedIn, "this API token has expired");
    caller.kind = CallerKind::Token;
    caller.actor = {core::ActorKind::Token, found->name};
    caller.role = found->role;
    caller.token = hash;
    return caller;
}

std::optional<Caller> Authentication::by_cookie(Request const& request, core::Now now) {
    auto const secret = cookie_of(request);
    if (!secret || is_agents_place(request))
        return std::nullopt;
    auto const hash = manager::hash_secret(*secret);
    auto const* session = model_.accounts().find_session(hash);
    if (!session || !counts(*session, now))
        return std::nullopt;
    Caller caller;
    caller.kind = CallerKind::Session;
    caller.actor = {core::ActorKind::User, session->username};
    caller.role = model_.accounts().find_user(session->username)->role;
    caller.session = hash;
    return caller;
}

bool Authentication::counts(manager::Session const& session, core::Now now) const {
    auto const* user = model_.accounts().find_user(session.username);
    if (!user || user->disabled || expires_at(session) <= now.wall)
        return false;
    auto const idle = model_.fleet().settings.session_idle;
    auto const last = last_request_.find(session.secret);
    if (last != last_request_.end())
        return now.mono - last->second.mono < idle;
    return now.wall - session.last_used_at.value_or(session.created_at) < idle;
}

core::WallTime Authentication::expires_at(manager::Session const& session) const {
    return std::min(
        session.expires_at, session.created_at + model_.fleet().settings.session_lifetime
    );
}

std::optional<core::WallTime> Authentication::last_request(manager::Session const& session) const {
    auto const found = last_request_.find(session.secret);
    return found == last_request_.end() ? session.last_used_at : std::optional(found->second.wall);
}

std::optional<core::WallTime> Authentication::last_used(manager::ApiToken const& token) const {
    auto const found = token_used_.find(token.secret);
    return found == token_used_.end() ? token.last_used_at
                                      : std::max(token.last_used_at, std::optional(found->second));
}

manager::NoteUses Authentication::uses_to_note() const {
    auto const is_news = [](std::optional<core::WallTime> noted, core::WallTime at) {
        return !noted || at - *noted >= kUseNoted;
    };
    manager::NoteUses uses;
    for (auto const& [secret, at] : token_used_) {
        auto const* token = model_.accounts().find_token(secret);
        if (token && is_news(token->last_used_at, at))
            uses.tokens.emplace_back(token->id, at);
    }
    for (auto const& [secret, at] : last_request_) {
        auto const* session = model_.accounts().find_session(secret);
        if (session && is_news(session->last_used_at, at.wall))
            uses.sessions.emplace_back(secret, at.wall);
    }
    return uses;
}

bool Authentication::still_counts(Caller const& caller, core::Now now) const {
    switch (caller.kind) {
    case CallerKind::Nobody: return true;
    case CallerKind::Session: {
        auto const* session = model_.accounts().find_session(caller.session);
        return session && counts(*session, now);
    }
    case CallerKind::Token: {
        auto const* token = model_.accounts().find_token(caller.token);
        return token && (!token->expires_at || *token->expires_at > now.wall);
    }
    case CallerKind::Agent: return model_.fleet().find(caller.server) != nullptr;
    }
    return false;
}

void Authentication::forget_ended() {
    std::erase_if(last_request_, [this](auto const& entry) {
        return model_.accounts().find_session(entry.first) == nullptr;
    });
    std::erase_if(token_used_, [this](auto const& entry) {
        return model_.accounts().find_token(entry.first) == nullptr;
    });
}

core::Result<void>
check_origin(Request const& request, Caller const& caller, std::string_view public_url) {
    if (request.method == Method::Get)
        return {};
    auto const foreign = [] {
        return core::fail(
            ErrorCode::NotAllowed,
            "a change must come from this manager's own pages: the Origin is another site's"
        );
    };
    auto const site = request.header("sec-fetch-site");
    if (site && *site != "same-origin" && *site != "none")
        return foreign();
    auto const origin = request.header("origin");
    if (origin && !is_own_origin(request, *origin, public_url))
        return foreign();
    bool const shown = origin || (site && *site == "same-origin");
    if (caller.kind == CallerKind::Session && !shown)
        return core::fail(
            ErrorCode::NotAllowed,
            "a change made with a session's cookie needs an Origin field; scripts use an API token"
        );
    return {};
}

core::Result<void> check_plain_http(Request const& request, Access access, bool allowed) {
    bool const agents = access == Access::Agent || access == Access::Joining;
    if (!agents || request.secure || request.from_loopback || allowed)
        return {};
    return core::fail(
        ErrorCode::NotAllowed,
        "agents on other machines may not call over plain HTTP; an administrator can allow it with "
        "the setting agents_over_plain_http"
    );
}

std::string
session_cookie(Request const& request, std::string_view secret, core::seconds lifetime) {
    return fmt::format(
        "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}",
        cookie_name(request),
        secret,
        lifetime.count(),
        request.secure ? "; Secure" : ""
    );
}

std::string ended_session_cookie(Request const& request) {
    return session_cookie(request, "", core::seconds(0));
}

} // namespace cpm::http
