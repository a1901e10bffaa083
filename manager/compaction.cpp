#include "manager/compaction.hpp"

namespace cpm::manager {

core::Result<void> Compaction::begin() {
    auto const until = log_.compacted_until();
    if (!until)
        return tl::make_unexpected(until.error());
    next_ = until->next();
    return {};
}

core::Result<void> Compaction::work(core::Settings const& settings, core::Now now) {
    if (is_over_ || now.mono < not_before_)
        return {};
    auto const more = piece(settings, now);
    bool const waits = !more || !*more;
    not_before_ = clock_.now().mono + (waits ? kLongPause : kPause);
    if (more || more.error().code != core::ErrorCode::Corrupt)
        return {}; // a disk that refuses is told by the next append
    is_over_ = true;
    return tl::make_unexpected(more.error());
}

/// Whether there is more to do.
core::Result<bool> Compaction::piece(core::Settings const& settings, core::Now now) {
    auto const removed = log_.remove_compacted();
    if (!removed || *removed)
        return removed;
    return look(settings, now);
}

core::Result<bool> Compaction::look(core::Settings const& settings, core::Now now) {
    core::Sequence const last{next_.value + kAtOnce - 1};
    bool const takes_too_much = log_.bytes_from(last.next()) > settings.heartbeat_retention_bytes;
    auto const until = clock_.now().mono + kBudget;
    bool is_past = false;
    auto const read = log_.read(next_, last, [&](eventstore::StoredEvent const& stored) {
        is_past = takes_too_much || stored.event.at < now.wall - settings.heartbeat_retention;
        if (!is_past)
            return false;
        runs_.add(stored.event, stored.hash);
        next_ = stored.event.sequence.next();
        return clock_.now().mono < until;
    });
    if (!read)
        return tl::make_unexpected(read.error());
    if (!is_past && now.mono >= ends_run_at_) {
        runs_.end_run();
        ends_run_at_ = now.mono + kPatience;
    }
    return is_past;
}

} // namespace cpm::manager
