#include "tools/cpm-replay/fold.hpp"

#include "core/evolve.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::replay {

void Then::take(core::Event const& event) {
    evolve(fleet, event);
    sequence = event.sequence;
    decision = event.decision;
    now = event.at;
}

bool Then::is_behind(core::Event const& event, std::optional<Moment> const& at) const {
    if (!at || event.decision == decision)
        return false;
    if (auto const* moment = std::get_if<core::Sequence>(&*at))
        return event.sequence > *moment;
    return event.at > std::get<core::WallTime>(*at);
}

void Then::end(std::optional<Moment> const& at) {
    if (auto const* time = at ? std::get_if<core::WallTime>(&*at) : nullptr)
        now = *time;
}

core::Result<void>
check_moment(eventstore::EventReader const& log, std::optional<Moment> const& at) {
    auto const head = log.head().sequence;
    auto const* sequence = at ? std::get_if<core::Sequence>(&*at) : nullptr;
    if (!sequence || *sequence <= head)
        return {};
    return core::fail(
        core::ErrorCode::NotFound,
        fmt::format("--at {}: the log ends at event {}", sequence->value, head.value)
    );
}

namespace {

/// About where in the log the moment is; none: at its end.
std::optional<core::Sequence>
expected_end(eventstore::EventReader const& log, std::optional<Moment> const& at) {
    if (auto const* sequence = at ? std::get_if<core::Sequence>(&*at) : nullptr)
        return *sequence;
    auto const* time = at ? std::get_if<core::WallTime>(&*at) : nullptr;
    if (!time)
        return std::nullopt;
    core::WallTime first{};
    core::WallTime last{};
    auto const head = log.head().sequence;
    auto const take = [](core::WallTime& into) {
        return [&into](eventstore::StoredEvent const& stored) {
            into = stored.event.at;
            return false;
        };
    };
    // Damage is reported by whoever reads that far.
    bool const is_read = log.read({1}, head, take(first)) && log.read_back({1}, head, take(last));
    if (!is_read || last <= first || *time >= last)
        return std::nullopt;
    auto const share =
        double((std::max(*time, first) - first).count()) / double((last - first).count());
    return core::Sequence{1 + std::uint64_t(share * double(head.value - 1))};
}

} // namespace

core::Result<Then> fold_to(eventstore::EventReader const& log, std::optional<Moment> const& at) {
    Then then;
    auto const visit = [&](eventstore::StoredEvent const& stored) {
        if (then.is_behind(stored.event, at))
            return false;
        then.take(stored.event);
        return true;
    };
    auto const done = walk(log, {1}, log.head().sequence, true, visit, expected_end(log, at));
    if (!done)
        return tl::make_unexpected(done.error());
    then.end(at);
    return then;
}

void note_compacted(eventstore::EventReader const& log, Then const& then) {
    auto const compacted = log.compacted_until();
    if (compacted && then.sequence < *compacted)
        fmt::print(
            stderr,
            "cpm-replay: routine heartbeats are compacted up to event {}: a last heartbeat is the "
            "last one that is left\n",
            compacted->value
        );
}

core::milliseconds standby_remaining(core::Server const& server, core::WallTime now) {
    if (!standby_is_open(server.state))
        return {};
    auto const left =
        std::chrono::floor<core::milliseconds>(server.requested_at + server.standby - now);
    return std::clamp(left, core::milliseconds(0), core::milliseconds(server.standby));
}

std::vector<core::Server const*> by_name(core::Fleet const& fleet) {
    std::vector<core::Server const*> servers;
    for (auto const& [id, server] : fleet.servers)
        servers.push_back(&server);
    std::ranges::sort(servers, {}, [](core::Server const* server) { return server->config.name; });
    return servers;
}

} // namespace cpm::replay
