#include "tools/cpm-replay/walk.hpp"

#include "tools/cpm-replay/progress.hpp"

namespace cpm::replay {

core::Result<void> walk(
    eventstore::EventReader const& log,
    core::Sequence first,
    core::Sequence last,
    bool progress,
    eventstore::EventVisitor const& visit,
    std::optional<core::Sequence> expected_end
) {
    Progress shown(first, last, progress, expected_end);
    return log.read(first, last, [&](eventstore::StoredEvent const& stored) {
        shown.reached(stored.event.sequence);
        return !stop_requested() && visit(stored);
    });
}

} // namespace cpm::replay
