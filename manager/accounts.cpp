#include "manager/accounts.hpp"

#include "core/hex.hpp"
#include "manager/accounts_codec.hpp"

#include <cstring>

namespace cpm::manager {
namespace {

template <class Map, class Key>
auto const* find_in(Map const& map, Key const& key) {
    auto const it = map.find(key);
    return it == map.end() ? nullptr : &it->second;
}

} // namespace

/// The hash of a SHA-256: its first bytes are as good as any.
std::size_t Accounts::HashOf::operator()(core::Hash const& hash) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, hash.data(), sizeof value);
    return value;
}

bool is_wake_password(std::string_view hex) {
    return (hex.size() == 8 || hex.size() == 12) &&
           hex.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

core::Result<void> Accounts::apply(eventstore::RecordChange const& change) {
    if (change.table != eventstore::Table::Accounts)
        return {};
    forget(change.key);
    if (!change.value)
        return {};
    auto account = decode_account(change.key, *change.value);
    if (!account)
        return tl::make_unexpected(account.error());
    std::visit([this](auto& record) { remember(std::move(record)); }, *account);
    return {};
}

void Accounts::remember(User user) {
    auto const name = user.name;
    users_.insert_or_assign(name, std::move(user));
}

void Accounts::remember(Session session) {
    auto const secret = session.secret;
    sessions_.insert_or_assign(secret, std::move(session));
}

void Accounts::remember(ApiToken token) {
    auto const id = token.id;
    token_ids_[token.secret] = id;
    tokens_.insert_or_assign(id, std::move(token));
}

void Accounts::remember(AgentCredential credential) {
    agent_servers_[credential.secret] = credential.server;
    if (credential.next)
        agent_servers_[*credential.next] = credential.server;
    agents_[credential.server] = credential;
}

void Accounts::remember(JoinToken token) {
    auto const id = token.id;
    join_token_ids_[token.secret] = id;
    join_tokens_.insert_or_assign(id, std::move(token));
}

void Accounts::remember(WakePassword password) {
    auto const server = password.server;
    wake_passwords_.insert_or_assign(server, std::move(password));
}

void Accounts::remember(Webhook webhook) {
    auto const id = webhook.id;
    webhooks_.insert_or_assign(id, std::move(webhook));
}

void Accounts::forget(std::string_view key) {
    auto const slash = key.find('/');
    if (slash == std::string_view::npos)
        return;
    auto const kind = key.substr(0, slash);
    auto const id = key.substr(slash + 1);
    if (kind == "user") {
        if (auto const it = users_.find(id); it != users_.end())
            users_.erase(it);
    } else if (kind == "session") {
        if (auto const secret = core::parse_hash(id))
            sessions_.erase(*secret);
    } else if (kind == "token") {
        auto const it = tokens_.find(id);
        if (it == tokens_.end())
            return;
        token_ids_.erase(it->second.secret);
        tokens_.erase(it);
    } else if (kind == "agent") {
        auto const server = core::parse_server_id(id);
        auto const it = server ? agents_.find(*server) : agents_.end();
        if (it == agents_.end())
            return;
        agent_servers_.erase(it->second.secret);
        if (it->second.next)
            agent_servers_.erase(*it->second.next);
        agents_.erase(it);
    } else if (kind == "join") {
        auto const it = join_tokens_.find(id);
        if (it == join_tokens_.end())
            return;
        join_token_ids_.erase(it->second.secret);
        join_tokens_.erase(it);
    } else if (kind == "wake") {
        if (auto const server = core::parse_server_id(id))
            wake_passwords_.erase(*server);
    } else if (kind == "webhook") {
        if (auto const it = webhooks_.find(id); it != webhooks_.end())
            webhooks_.erase(it);
    }
}

User const* Accounts::find_user(std::string_view name) const {
    return find_in(users_, name);
}

ApiToken const* Accounts::find_token_by_id(std::string_view id) const {
    return find_in(tokens_, id);
}

WakePassword const* Accounts::find_wake_password(core::ServerId server) const {
    return find_in(wake_passwords_, server);
}

AgentCredential const* Accounts::find_agent_of(core::ServerId server) const {
    return find_in(agents_, server);
}

Webhook const* Accounts::find_webhook(std::string_view id) const {
    return find_in(webhooks_, id);
}

Session const* Accounts::find_session(core::Hash const& secret) const {
    return find_in(sessions_, secret);
}

ApiToken const* Accounts::find_token(core::Hash const& secret) const {
    auto const* id = find_in(token_ids_, secret);
    return id ? find_in(tokens_, *id) : nullptr;
}

AgentCredential const* Accounts::find_agent(core::Hash const& secret) const {
    auto const* server = find_in(agent_servers_, secret);
    return server ? find_in(agents_, *server) : nullptr;
}

JoinToken const* Accounts::find_join_token(core::Hash const& secret) const {
    auto const* id = find_in(join_token_ids_, secret);
    return id ? find_in(join_tokens_, *id) : nullptr;
}

void Accounts::for_each_session(
    std::string_view username, std::function<void(Session const&)> visit
) const {
    for (auto const& [secret, session] : sessions_)
        if (session.username == username)
            visit(session);
}

} // namespace cpm::manager
