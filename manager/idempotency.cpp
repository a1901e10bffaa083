#include "manager/idempotency.hpp"

#include "core/hex.hpp"
#include "manager/accounts_codec.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace cpm::manager {
namespace {

namespace json = boost::json;

std::string record_key(IdempotencyKey const& key) {
    return key.actor + "\n" + key.key;
}

/// An actor is a kind and a name or number: there is no line break in it.
std::string_view actor_of(std::string_view record_key) {
    return record_key.substr(0, record_key.find('\n'));
}

/// What an entry takes, roughly, in memory.
std::size_t size_of(std::string_view record_key, std::string_view body) {
    constexpr std::size_t kBesides = 512;
    return record_key.size() + body.size() + kBesides;
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
        if (auto const it = entries_.find(change.key); it != entries_.end())
            erase(it);
        return {};
    }
    // Boost.JSON reports by exceptions; what was damaged ends here, as a Result.
    try {
        auto const record = json::parse(*change.value).as_object();
        auto const* etag = record.if_contains("etag"); // earlier versions kept none
        Entry entry{
            .request = core::parse_hash(json::value_to<std::string>(record.at("request"))).value(),
            .at = core::WallTime{std::chrono::microseconds{
                record.at("at").to_number<std::int64_t>()}},
            .status = record.at("status").to_number<int>(),
            .body = json::value_to<std::string>(record.at("body")),
            .etag = etag ? json::value_to<std::string>(*etag) : std::string{},
        };
        if (auto const old = entries_.find(change.key); old != entries_.end())
            erase(old);
        auto const& [key, kept] = *entries_.emplace(change.key, std::move(entry)).first;
        by_time_.emplace(kept.at, key);
        by_actor_.emplace(actor_of(key), kept.at, key);
        bytes_ += size_of(key, kept.body);
        return {};
    } catch (std::exception const& error) {
        return core::fail(
            core::ErrorCode::Corrupt,
            fmt::format("a remembered answer cannot be read: {}", error.what())
        );
    }
}

void Idempotency::erase(Entries::iterator it) {
    auto const& [key, entry] = *it;
    by_time_.erase({entry.at, key});
    by_actor_.erase({actor_of(key), entry.at, key});
    bytes_ -= size_of(key, entry.body);
    entries_.erase(it);
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
    auto const record_name = record_key(key);
    std::vector<eventstore::RecordChange> changes;
    std::set<std::string_view> forgotten{record_name};
    auto left = bytes_ + size_of(record_name, answer.remembered);
    auto const forget = [&](std::string_view old) {
        if (!forgotten.insert(old).second)
            return;
        changes.push_back({eventstore::Table::Idempotency, std::string(old), std::nullopt});
        left -= size_of(old, entries_.find(std::string(old))->second.body);
    };
    auto oldest = by_time_.begin();
    for (; oldest != by_time_.end() && now - oldest->first > kKept; ++oldest)
        forget(oldest->second);
    // An agent asks for one thing at a time, and who speaks for a machine must not be able to fill
    // the manager's memory.
    bool const is_agent = key.actor.starts_with("agent:");
    for (auto own = by_actor_.lower_bound({key.actor, core::WallTime::min(), {}});
         own != by_actor_.end() && std::get<0>(*own) == key.actor &&
         (is_agent || left > kMostBytes);
         ++own)
        forget(std::get<2>(*own));
    for (; oldest != by_time_.end() && left > kMostBytes; ++oldest)
        forget(oldest->second);
    json::object const record{
        {"request", core::to_hex(key.request)},
        {"at", now.time_since_epoch().count()},
        {"status", answer.status},
        {"body", answer.remembered},
        {"etag", answer.etag},
    };
    changes.push_back({eventstore::Table::Idempotency, record_name, json::serialize(record)});
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
