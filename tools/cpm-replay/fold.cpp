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

core::Result<Then>
fold_to(eventstore::EventReader const& log, std::optional<Moment> const& at, bool progress) {
    Then then;
    auto const done = walk(log, {1}, log.head().sequence, progress, [&](auto const& stored) {
        if (then.is_behind(stored.event, at))
            return false;
        then.take(stored.event);
        return true;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    then.end(at);
    return then;
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
