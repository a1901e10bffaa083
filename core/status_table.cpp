#include "core/status_table.hpp"

#include "core/server_state.hpp"

namespace cpm::core {
namespace {

/// Every combination has exactly one row: no status is ever a guess of the code.
constexpr bool is_complete() {
    using enum HeartbeatStatus;
    for (auto power : {PowerStatus::On, PowerStatus::Off})
        for (auto previous : {On, Stopping, None})
            for (auto current : {On, Stopping, None}) {
                int rows = 0;
                for (auto const& row : table::kRows)
                    rows +=
                        row.power == power && row.previous == previous && row.current == current;
                if (rows != 1)
                    return false;
            }
    return true;
}
static_assert(is_complete());

} // namespace

StatusInputs inputs_of(ServerState const& state) {
    auto const standby = !state.request                            ? StandbyView::NoRequest
                         : state.request->standby == Standby::Open ? StandbyView::Open
                                                                   : StandbyView::Elapsed;
    return {
        .power = state.power,
        .previous = state.previous,
        .current = state.current,
        .standby = standby,
        .confirmed = state.request && state.request->confirmed,
        .blocked = !state.blocked_by.empty(),
        .adopted = state.adopted,
    };
}

Verdict classify(ServerState const& state) {
    return classify(inputs_of(state));
}

} // namespace cpm::core
