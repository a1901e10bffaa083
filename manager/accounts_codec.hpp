#pragma once

#include "core/result.hpp"
#include "eventstore/event_log.hpp"
#include "manager/accounts.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace cpm::manager {

/// One record of the table Accounts, read.
using Account =
    std::variant<User, Session, ApiToken, AgentCredential, JoinToken, WakePassword, Webhook>;

/// Reads a record; fails with Corrupt, naming the key. Keys: "user/NAME", "session/HASH",
/// "token/ID", "agent/SERVER", "join/ID", "wake/SERVER", "webhook/ID"; values: JSON.
core::Result<Account> decode_account(std::string_view key, std::string_view value);

// The records of each kind: to put, and to remove.
eventstore::RecordChange put(User const& user);
eventstore::RecordChange put(Session const& session);
eventstore::RecordChange put(ApiToken const& token);
eventstore::RecordChange put(AgentCredential const& credential);
eventstore::RecordChange put(JoinToken const& token);
eventstore::RecordChange put(WakePassword const& password);
eventstore::RecordChange put(Webhook const& webhook);
eventstore::RecordChange remove_user(std::string_view name);
eventstore::RecordChange remove_session(core::Hash const& secret);
eventstore::RecordChange remove_token(std::string_view id);
eventstore::RecordChange remove_agent(core::ServerId server);
eventstore::RecordChange remove_join_token(std::string_view id);
eventstore::RecordChange remove_wake_password(core::ServerId server);
eventstore::RecordChange remove_webhook(std::string_view id);

} // namespace cpm::manager
