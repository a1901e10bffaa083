#include "tests/sim/log.hpp"

#include <algorithm>

namespace cpm::sim {

using core::ErrorCode;
using eventstore::EventVisitor;

core::Result<std::unique_ptr<Log>> Log::open(Disk& disk, Surroundings const& around, bool accept) {
    auto log = std::make_unique<Log>(Private(), disk, around);
    if (auto begun = log->begin(accept); !begun)
        return tl::make_unexpected(begun.error());
    return log;
}

core::Result<void> Log::begin(bool accept) {
    if (auto const why = why_truncated(); !why.empty()) {
        if (!accept)
            return core::fail(ErrorCode::Corrupt, why);
        auto const epoch = std::max(disk_.content().epoch, disk_.content().witness->epoch);
        disk_.raise_epoch(epoch);
        disk_.put_rolled_back(Disk::RolledBack{epoch, why, epoch}, sync());
    }
    return keep_witness();
}

std::string Log::why_truncated() const {
    auto const head = disk_.head();
    auto const& witness = disk_.content().witness;
    if (!witness)
        return head.sequence ? "it has events, but no head witness" : "";
    if (head.sequence < witness->sequence)
        return "it ends before an event that it had reached";
    if (head.epoch < witness->epoch)
        return "it is of an epoch before one that it had reached";
    auto const* hash = disk_.hash_of(witness->sequence);
    bool const is_other = hash && *hash != witness->hash;
    return is_other ? "an event is not the one that was written" : "";
}

/// One sync that succeeds; when it is done.
Time Log::sync() {
    around_.took(around_.mood().sync);
    return around_.now();
}

core::Result<void>
Log::read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    return disk_.read(first, last, visit);
}

core::Result<void>
Log::read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    first = std::max(first, core::Sequence{1});
    for (auto at = std::min(last, disk_.head().sequence); at >= first; at = {at.value - 1}) {
        if (auto const* range = disk_.removed(at)) {
            at = range->first;
            continue;
        }
        auto const event = disk_.stored(at);
        if (!event)
            return tl::make_unexpected(event.error());
        if (!visit(*event))
            break;
    }
    return {};
}

core::Result<void> Log::read_server(
    core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    return read(first, last, [&](eventstore::StoredEvent const& stored) {
        return !eventstore::concerns(stored.event, server) || visit(stored);
    });
}

core::Result<void> Log::read_table(
    eventstore::Table table, std::function<void(std::string_view, std::string_view)> const& visit
) const {
    for (auto const& [key, value] : disk_.content().tables)
        if (key.first == table)
            visit(key.second, value);
    return {};
}

core::Result<void> Log::append(
    core::Sequence after,
    std::span<core::Event const> events,
    std::span<eventstore::RecordChange const> changes
) {
    if (refuses_)
        return core::fail(ErrorCode::Storage, "the log accepts nothing more");
    auto batch = eventstore::chain(disk_.head(), after, events);
    if (!batch)
        return tl::make_unexpected(std::move(batch.error()));
    if (events.empty() && changes.empty())
        return {};
    Disk::Batch written{std::move(*batch), {}, changes};
    for (auto const& event : events)
        if (auto const* range = std::get_if<core::HeartbeatsCompacted>(&event.payload))
            written.ranges.push_back(*range);
    auto const mood = around_.mood();
    around_.took(mood.sync);
    if (!mood.fails || mood.fails_kept)
        disk_.append(written, around_.now());
    if (!mood.fails)
        return {};
    refuses_ = true;
    if (!events.empty()) {
        auto const earlier = disk_.content().unconfirmed;
        disk_.put_unconfirmed(earlier ? std::min(*earlier, after.next()) : after.next(), sync());
    }
    return core::fail(ErrorCode::Storage, "the sync failed");
}

core::Result<void> Log::keep_witness() {
    if (disk_.content().witness == disk_.head())
        return {};
    auto const head = disk_.head();
    disk_.put_witness(head, sync());
    return {};
}

core::Result<void> Log::clear_unconfirmed() {
    if (disk_.content().unconfirmed)
        disk_.put_unconfirmed(std::nullopt, sync());
    return {};
}

std::optional<std::string> Log::rolled_back() const {
    auto const& content = disk_.content();
    return content.is_rolled_back() ? std::optional(content.rolled_back->why) : std::nullopt;
}

core::Result<void> Log::mark_rolled_back(std::string_view why, std::uint64_t epoch) {
    auto const known = rolled_back() ? disk_.content().rolled_back->witnessed_epoch : 0;
    disk_.put_rolled_back(
        Disk::RolledBack{disk_.content().epoch, std::string(why), std::max(known, epoch)}, sync()
    );
    return {};
}

std::uint64_t Log::witnessed_epoch() const {
    auto const& rest = disk_.content();
    return rolled_back() ? std::max(rest.rolled_back->witnessed_epoch, rest.epoch) : rest.epoch;
}

core::Result<core::Sequence> Log::compacted_until() const {
    auto const& ranges = disk_.content().ranges;
    return ranges.empty() ? core::Sequence{} : ranges.back().last;
}

core::Result<bool> Log::remove_compacted() {
    if (refuses_)
        return core::fail(ErrorCode::Storage, "the log accepts nothing more");
    auto const& content = disk_.content();
    auto const next = std::ranges::upper_bound(
        content.ranges, content.removed_until, {}, &core::HeartbeatsCompacted::first
    );
    if (next == content.ranges.end())
        return false;
    (void)keep_witness();
    disk_.remove(*next);
    return true;
}

std::uint64_t Log::bytes_from(core::Sequence first) const {
    auto const last = disk_.size();
    return first.value > last ? 0 : (last - first.value + 1) * kRecordBytes;
}

std::optional<std::uint64_t> Log::total_bytes() const {
    return std::uint64_t{100} << 30;
}

} // namespace cpm::sim
