#pragma once

#include "core/actor.hpp"
#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "eventstore/event_log.hpp"
#include "manager/webhook.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cpm::manager {

// Who may call. Not a fold of the log, which holds no secrets, not even hashes: records of the
// table Accounts, changed in the same batch as the event that tells of the change.

struct User {
    std::string name;
    core::Role role{};
    std::string password_hash; ///< Argon2id, as libsodium writes it
    bool disabled = false;
    core::WallTime created_at{};
    core::Sequence changed{}; ///< the last event that changed it
    bool operator==(User const&) const = default;
};

struct Session {
    core::Hash secret{}; ///< hash of the cookie's value
    std::string username;
    core::WallTime created_at{};
    core::WallTime expires_at{};
    core::WallTime password_at{};                 ///< when its password was last given
    std::string address{};                        ///< from which it was opened
    std::optional<core::WallTime> last_used_at{}; ///< noted now and then, not at each use
    bool operator==(Session const&) const = default;
};

struct ApiToken {
    std::string id;
    std::string name;
    core::Role role{};
    core::Hash secret{};
    core::WallTime created_at{};
    std::optional<core::WallTime> expires_at;
    std::optional<core::WallTime> last_used_at{}; ///< noted now and then, not at each use
    bool operator==(ApiToken const&) const = default;
};

/// Kept when its server is removed, so that its agent is told so (410) and does not guess.
struct AgentCredential {
    core::ServerId server;
    core::Hash secret{};
    /// One that was handed out and not used yet: its first use ends the other (HTTP 3.3).
    std::optional<core::Hash> next{};
    bool operator==(AgentCredential const&) const = default;
};

struct JoinToken {
    std::string id;
    core::Hash secret{};
    core::ServerId server;
    core::WallTime expires_at{};
    bool any_machine = false;
    bool operator==(JoinToken const&) const = default;
};

/// The SecureOn password of a server's card.
struct WakePassword {
    core::ServerId server;
    std::string hex; ///< 8 or 12 digits
    bool operator==(WakePassword const&) const = default;
};

/// Whether this is 8 or 12 hexadecimal digits: no other password fits into a magic packet.
bool is_wake_password(std::string_view hex);

/// All accounts in memory, indexed by what they are looked up by. A value; each thread has its own.
class Accounts {
  public:
    struct HashOf {
        std::size_t operator()(core::Hash const& hash) const noexcept;
    };

    /// Applies one record of the table Accounts; others are ignored. Fails with Corrupt, naming the
    /// key, when it cannot be read.
    core::Result<void> apply(eventstore::RecordChange const& change);

    bool has_users() const { return !users_.empty(); }
    std::map<std::string, User, std::less<>> const& users() const { return users_; }
    std::map<std::string, ApiToken, std::less<>> const& tokens() const { return tokens_; }
    std::map<std::string, Webhook, std::less<>> const& webhooks() const { return webhooks_; }

    User const* find_user(std::string_view name) const;
    ApiToken const* find_token_by_id(std::string_view id) const;
    WakePassword const* find_wake_password(core::ServerId server) const;
    Webhook const* find_webhook(std::string_view id) const;

    AgentCredential const* find_agent_of(core::ServerId server) const;

    // By the hash of the secret that was presented.
    Session const* find_session(core::Hash const& secret) const;
    ApiToken const* find_token(core::Hash const& secret) const;
    AgentCredential const* find_agent(core::Hash const& secret) const;
    JoinToken const* find_join_token(core::Hash const& secret) const;

    std::unordered_map<core::Hash, Session, HashOf> const& sessions() const { return sessions_; }
    /// All sessions of one user (ended when the user is disabled or removed).
    void
    for_each_session(std::string_view username, std::function<void(Session const&)> visit) const;

  private:
    void forget(std::string_view key);
    void remember(User user);
    void remember(Session session);
    void remember(ApiToken token);
    void remember(AgentCredential credential);
    void remember(JoinToken token);
    void remember(WakePassword password);
    void remember(Webhook webhook);

    template <class T>
    using BySecret = std::unordered_map<core::Hash, T, HashOf>;

    std::map<std::string, User, std::less<>> users_;
    std::map<std::string, ApiToken, std::less<>> tokens_; ///< by id
    BySecret<std::string> token_ids_;
    BySecret<Session> sessions_;
    std::unordered_map<core::ServerId, AgentCredential> agents_;
    BySecret<core::ServerId> agent_servers_;
    std::map<std::string, JoinToken, std::less<>> join_tokens_; ///< by id
    BySecret<std::string> join_token_ids_;
    std::unordered_map<core::ServerId, WakePassword> wake_passwords_;
    std::map<std::string, Webhook, std::less<>> webhooks_; ///< by id
};

} // namespace cpm::manager
