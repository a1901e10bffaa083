#include "manager/idempotency.hpp"

#include "manager/accounts_codec.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace cpm::manager {
namespace {

namespace json = boost::json;

/// Whether it is an older answer to the same agent. It asks for one thing at a time, and who speaks
/// for a machine must not be able to fill the manager's memory.
bool is_agents_last(std::string_view record, IdempotencyKey const& key) {
    return key.actor.starts_with("agent:") && record.starts_with(key.actor + "\n") &&
           record.substr(key.actor.size() + 1) != key.key;
}

std::string record_key(IdempotencyKey const& key) {
    return key.actor + "\n" + key.key;
}

bool names(json::value const& answer, std::set<core::Sequence> const& events) {
    auto const* object = answer.if_object();
    auto const* sequence = object ? object->if_contains("sequence") : nullptr;
    json::error_code error;
    return sequence && sequence->is_number() &&
           events.contains({sequence->to_number<std::uint64_t>(error)});
}

/// Whether an answer, or one of the results of an answer about many, names one of these events.
bool is_about(std::string const& body, std::set<core::Sequence> const& events) {
    json::error_code error;
    auto const answer = json::parse(body, error);
    if (names(answer, events))
        return true;
    auto const* object = answer.if_object();
    auto const* results = object ? object->if_contains("results") : nullptr;
    auto const* list = results ? results->if_array() : nullptr;
    return list && std::ranges::any_of(*list, [&](json::value const& result) {
               return names(result, events);
           });
}

} // namespace

core::Result<void> Idempotency::apply(eventstore::RecordChange const& change) {
    if (change.table != eventstore::Table::Idempotency)
        return {};
    if (!change.value) {
        entries_.erase(change.key);
        return {};
    }
    // Boost.JSON reports by exceptions; what was damaged ends here, as a Result.
    try {
        auto const record = json::parse(*change.value).as_object();
        auto const* etag = record.if_contains("etag"); // earlier versions kept none
        entries_[change.key] = Entry{
            .request = parse_hash(json::value_to<std::string>(record.at("request"))).value(),
            .at = core::WallTime{std::chrono::microseconds{
                record.at("at").to_number<std::int64_t>()}},
            .status = record.at("status").to_number<int>(),
            .body = json::value_to<std::string>(record.at("body")),
            .etag = etag ? json::value_to<std::string>(*etag) : std::string{},
        };
        return {};
    } catch (std::exception const& error) {
        return core::fail(
            core::ErrorCode::Corrupt,
            fmt::format("a remembered answer cannot be read: {}", error.what())
        );
    }
}

core::Result<std::optional<Answer>>
Idempotency::find(IdempotencyKey const& key, core::WallTime now) const {
    auto const it = entries_.find(record_key(key));
    if (it == entries_.end() || now - it->second.at > kKept)
        return std::optional<Answer>{};
    auto const& entry = it->second;
    if (entry.request != key.request)
        return core::fail(
            core::ErrorCode::KeyReused,
            "this Idempotency-Key was used for another request: choose a new key"
        );
    return std::optional(Answer{entry.status, entry.body, entry.body, entry.etag});
}

std::vector<eventstore::RecordChange>
Idempotency::remember(IdempotencyKey const& key, Answer const& answer, core::WallTime now) const {
    std::vector<eventstore::RecordChange> changes;
    for (auto const& [old, entry] : entries_)
        if (now - entry.at > kKept || is_agents_last(old, key))
            changes.push_back({eventstore::Table::Idempotency, old, std::nullopt});
    json::object const record{
        {"request", to_hex(key.request)},
        {"at", now.time_since_epoch().count()},
        {"status", answer.status},
        {"body", answer.remembered},
        {"etag", answer.etag},
    };
    changes.push_back({eventstore::Table::Idempotency, record_key(key), json::serialize(record)});
    return changes;
}

std::vector<eventstore::RecordChange> Idempotency::forget(std::set<core::Sequence> const& events
) const {
    std::vector<eventstore::RecordChange> changes;
    for (auto const& [key, entry] : entries_)
        if (is_about(entry.body, events))
            changes.push_back({eventstore::Table::Idempotency, key, std::nullopt});
    return changes;
}

} // namespace cpm::manager
