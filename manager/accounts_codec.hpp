#pragma once

#include "core/result.hpp"
#include "eventstore/event_log.hpp"
#include "manager/accounts.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace cpm::manager {

/// One record of the table Accounts, read.
using Account = std::variant<User, Session, ApiToken, AgentCredential, JoinToken, WakePassword>;

/// Reads a record; fails with Corrupt, naming the key. Keys: "user/NAME", "session/HASH",
/// "token/ID", "agent/SERVER", "join/ID", "wake/SERVER"; values: JSON.
core::Result<Account> decode_account(std::string_view key, std::string_view value);

std::string to_hex(core::Hash const& hash);
std::optional<core::Hash> parse_hash(std::string_view hex);

} // namespace cpm::manager
