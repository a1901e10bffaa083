#pragma once

#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "eventstore/event_log.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

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
///
/// Limitations: together they take at most kMostBytes. An actor that needs more loses its own
/// oldest answers first, so that nobody's repetitions suffer from another's; where it has none
/// left, the oldest of all go.
class Idempotency {
  public:
    static constexpr std::chrono::hours kKept{24};
    /// About 20,000 answers that show a server.
    static constexpr std::size_t kMostBytes = std::size_t{32} * 1024 * 1024;

    Idempotency() = default;
    Idempotency(Idempotency const&) = delete; // its indexes refer to its keys
    Idempotency& operator=(Idempotency const&) = delete;

    core::Result<void> apply(eventstore::RecordChange const& change);

    /// The remembered answer; none when the key is new or too old; KeyReused when it came with
    /// another request.
    core::Result<std::optional<Answer>> find(IdempotencyKey const& key, core::WallTime now) const;

    /// The records that remember this answer and forget the ones that are too old or too many.
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
    using Entries = std::unordered_map<std::string, Entry>;

    void erase(Entries::iterator it);

    Entries entries_; ///< by "actor\nkey"
    /// Views of the keys of entries_, which stay where they are.
    std::set<std::pair<core::WallTime, std::string_view>> by_time_;
    std::set<std::tuple<std::string_view, core::WallTime, std::string_view>> by_actor_;
    std::size_t bytes_ = 0;
};

} // namespace cpm::manager
