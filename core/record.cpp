#include "core/record.hpp"

#include "core/evolve.hpp"

namespace cpm::core {

std::span<Event const> record(
    Fleet& fleet,
    ServerId server,
    Payloads&& payloads,
    Provenance const& provenance,
    Sequence head,
    std::vector<Event>& batch
) {
    auto const first = batch.size();
    auto const decision = head.next();
    auto const append = [&](Payload&& payload) {
        head = head.next();
        batch.push_back({
            .sequence = head,
            .decision = decision,
            .at = provenance.at,
            .server = server,
            .actor = provenance.actor,
            .cause = provenance.cause,
            .actual = {},
            .payload = std::move(payload),
        });
        evolve(fleet, batch.back());
    };

    for (auto& payload : payloads)
        append(std::move(payload));
    auto const* after = fleet.find(server);
    if (after && batch.size() > first && fleet.settings.release_standby_when_settled)
        for (auto& release : decide_release(after->state))
            append(std::move(release));

    for (auto i = first; i < batch.size(); ++i)
        if (after)
            batch[i].actual = after->state.actual;
    return std::span(batch).subspan(first);
}

} // namespace cpm::core
