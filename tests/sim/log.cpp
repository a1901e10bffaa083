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
        auto const epoch = std::max(disk_.rest().epoch, disk_.rest().witness->epoch);
        disk_.raise_epoch(epoch);
        disk_.put_rolled_back(Disk::RolledBack{epoch, why, epoch}, sync());
    }
    return keep_witness();
}

std::string Log::why_truncated() const {
    auto const head = disk_.head();
    auto const& witness = disk_.rest().witness;
    if (!witness)
        return head.sequence ? "it has events, but no head witness" : "";
    if (head.sequence < witness->sequence)
        return "it ends before an event that it had reached";
    if (head.epoch < witness->epoch)
        return "it is of an epoch before one that it had reached";
    auto const& hash = witness->sequence ? disk_.hash_of(witness->sequence) : disk_.log_id();
    return hash == witness->hash ? "" : "an event is not the one that was written";
}

/// One sync that succeeds; when it is done.
Time Log::sync() {
    around_.took(around_.mood().sync);
    return around_.now();
}

core::Result<void>
Log::read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    last = std::min(last, disk_.head().sequence);
    for (auto at = std::max(first, core::Sequence{1}); at <= last; at = at.next()) {
        auto const event = disk_.stored(at);
        if (!event)
            return tl::make_unexpected(event.error());
        if (!visit(*event))
            break;
    }
    return {};
}

core::Result<void>
Log::read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const {
    first = std::max(first, core::Sequence{1});
    for (auto at = std::min(last, disk_.head().sequence); at >= first; at = {at.value - 1}) {
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
    for (auto const& [key, value] : disk_.rest().tables)
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
    auto const mood = around_.mood();
    around_.took(mood.sync);
    if (!mood.fails) {
        disk_.append(std::move(*batch), changes, around_.now());
        return {};
    }
    refuses_ = true;
    if (mood.fails_kept)
        disk_.append(std::move(*batch), changes, around_.now());
    if (!events.empty()) {
        auto const earlier = disk_.rest().unconfirmed;
        disk_.put_unconfirmed(earlier ? std::min(*earlier, after.next()) : after.next(), sync());
    }
    return core::fail(ErrorCode::Storage, "the sync failed");
}

core::Result<void> Log::keep_witness() {
    if (disk_.rest().witness == disk_.head())
        return {};
    auto const head = disk_.head();
    disk_.put_witness(head, sync());
    return {};
}

core::Result<void> Log::clear_unconfirmed() {
    if (disk_.rest().unconfirmed)
        disk_.put_unconfirmed(std::nullopt, sync());
    return {};
}

std::optional<std::string> Log::rolled_back() const {
    auto const& note = disk_.rest().rolled_back;
    return note && note->epoch == disk_.rest().epoch ? std::optional(note->why) : std::nullopt;
}

core::Result<void> Log::mark_rolled_back(std::string_view why, std::uint64_t epoch) {
    auto const known = rolled_back() ? disk_.rest().rolled_back->witnessed_epoch : 0;
    disk_.put_rolled_back(
        Disk::RolledBack{disk_.rest().epoch, std::string(why), std::max(known, epoch)}, sync()
    );
    return {};
}

std::uint64_t Log::witnessed_epoch() const {
    auto const& rest = disk_.rest();
    return rolled_back() ? std::max(rest.rolled_back->witnessed_epoch, rest.epoch) : rest.epoch;
}

std::optional<std::uint64_t> Log::total_bytes() const {
    return std::uint64_t{100} << 30;
}

} // namespace cpm::sim
