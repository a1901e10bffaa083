#pragma once

#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "eventstore/event_log.hpp"

#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace cpm::manager {

/// A request's Idempotency-Key: who sent it, the key, and what the request was.
struct IdempotencyKey {
    std::string actor;
    std::string key;
    core::Hash request{}; ///< hash of method, path and body
};

/// An answer as it went out. `remembered` is what a repetition is told: no secret is shown twice.
struct Answer {
    int status = 0;
    std::string body;
    std::string remembered;
    std::string etag{};   ///< of what the body shows; empty: none
    std::string cookie{}; ///< the session's value, when one was opened; never remembered
};

/// The answers of the last 24 hours by key (HTTP 3.1). Kept in the table Idempotency, in the batch
/// of their event.
class Idempotency {
  public:
    static constexpr std::chrono::hours kKept{24};

    core::Result<void> apply(eventstore::RecordChange const& change);

    /// The remembered answer; none when the key is new or too old; KeyReused when it came with
    /// another request.
    core::Result<std::optional<Answer>> find(IdempotencyKey const& key, core::WallTime now) const;

    /// The records that remember this answer and forget the ones that are too old.
    std::vector<eventstore::RecordChange>
    remember(IdempotencyKey const& key, Answer const& answer, core::WallTime now) const;

    /// The records that forget what was answered about these events, which were taken back.
    std::vector<eventstore::RecordChange> forget(std::set<core::Sequence> const& events) const;

  private:
    struct Entry {
        core::Hash request{};
        core::WallTime at{};
        int status = 0;
        std::string body;
        std::string etag;
    };
    std::unordered_map<std::string, Entry> entries_;
};

} // namespace cpm::manager
