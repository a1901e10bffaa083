#pragma once

#include "eventstore/rocksdb_log.hpp"

#include <cstdint>
#include <map>
#include <string>

// A history that can be judged by its length: simple_events about servers 1, 2, 3, 1, …, and with
// each tenth of them a person in the accounts, in the same batch.

using People = std::map<std::string, std::string>;

/// Whom a history of that many events leaves in the accounts.
People people_of(std::uint64_t events);

/// Goes on with the history after the head by `count` events in one batch; the error's text, empty
/// when it went well.
std::string append_history(cpm::eventstore::RocksDbLog& log, std::uint64_t count);

/// What in the log (events, index by server, accounts) is not the history of `events` events; empty
/// when all is. Damage that reading names comes with "damage: " before it.
std::string judge_history(cpm::eventstore::RocksDbLog const& log, std::uint64_t events);
