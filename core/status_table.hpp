#pragma once

#include "core/status.hpp"

#include <array>
#include <string_view>

namespace cpm::core {

/// One row of the table of the status model (1.3). The two results differ only where the standby
/// time splits a row.
struct StatusRow {
    PowerStatus power;
    HeartbeatStatus previous;
    HeartbeatStatus current;
    ActualStatus open;    ///< while the standby time is open
    ActualStatus elapsed; ///< once it has elapsed, or there was no request
    std::string_view label;
};

namespace table {
using enum ActualStatus;
constexpr auto kPowerOn = PowerStatus::On;
constexpr auto kPowerOff = PowerStatus::Off;
constexpr auto kNone = HeartbeatStatus::None;
constexpr auto kOn = HeartbeatStatus::On;
constexpr auto kStopping = HeartbeatStatus::Stopping;

// clang-format off
/// The 18 rows, in the order of docs/status-model.md; a test reads them there and compares.
inline constexpr std::array<StatusRow, 18> kRows{{
    // power     previous   current    open             elapsed          label
    {kPowerOn,  kOn,       kOn,       On,              On,              "ON/ON/ON"},
    {kPowerOn,  kOn,       kStopping, Unknown,         Unknown,         "ON/ON/Stopping"},
    {kPowerOn,  kOn,       kNone,     Crashed,         Crashed,         "ON/ON/None"},
    {kPowerOn,  kStopping, kOn,       Unknown,         Unknown,         "ON/Stopping/ON"},
    {kPowerOn,  kStopping, kStopping, Unknown,         Unknown,         "ON/Stopping/Stopping"},
    {kPowerOn,  kStopping, kNone,     Unknown,         Unknown,         "ON/Stopping/None"},
    {kPowerOn,  kNone,     kOn,       On,              On,              "ON/None/ON"},
    {kPowerOn,  kNone,     kStopping, Unknown,         Unknown,         "ON/None/Stopping"},
    {kPowerOn,  kNone,     kNone,     Unknown,         Unknown,         "ON/None/None"},
    {kPowerOff, kOn,       kOn,       BeforeStopping,  Unknown,         "OFF/ON/ON"},
    {kPowerOff, kOn,       kStopping, Stopping,        ShutdownDelayed, "OFF/ON/Stopping"},
    {kPowerOff, kOn,       kNone,     Crashed,         Crashed,         "OFF/ON/None"},
    {kPowerOff, kStopping, kOn,       ManuallyOn,      ManuallyOn,      "OFF/Stopping/ON"},
    {kPowerOff, kStopping, kStopping, Stopping,        ShutdownDelayed, "OFF/Stopping/Stopping"},
    {kPowerOff, kStopping, kNone,     Off,             Off,             "OFF/Stopping/None"},
    {kPowerOff, kNone,     kOn,       ManuallyOn,      ManuallyOn,      "OFF/None/ON"},
    {kPowerOff, kNone,     kStopping, Unknown,         Unknown,         "OFF/None/Stopping"},
    {kPowerOff, kNone,     kNone,     Unknown,         Unknown,         "OFF/None/None"},
}};
// clang-format on
} // namespace table

/// The standby time as the table sees it.
enum class StandbyView : std::uint8_t { NoRequest, Open, Elapsed };

/// What classify() looks at, and nothing else.
struct StatusInputs {
    PowerStatus power{};
    HeartbeatStatus previous{};
    HeartbeatStatus current{};
    StandbyView standby{};
    bool confirmed = false; ///< the request is confirmed; meaningless without one
    bool blocked = false;   ///< the last report carried blocked_by
    bool adopted = false;   ///< turned on by hand, and nothing since (1.4)
};

/// A status and the row or rule it follows from.
struct Verdict {
    ActualStatus actual{};
    std::string_view rule; ///< a row's label, or one of the rule names below
    bool operator==(Verdict const&) const = default;
};

inline constexpr std::string_view kRuleStarting = "S";     ///< power ON, silent, not confirmed
inline constexpr std::string_view kRuleAcknowledged = "A"; ///< OFF was asked of a silent server
inline constexpr std::string_view kRuleBlocked = "B"; ///< it refused to go down, then fell silent
inline constexpr std::string_view kRuleAdopted = "adopted"; ///< turned on by hand

/// The row of the table, without the rules that stand before it.
constexpr StatusRow const&
find_row(PowerStatus power, HeartbeatStatus previous, HeartbeatStatus current) {
    for (auto const& row : table::kRows)
        if (row.power == power && row.previous == previous && row.current == current)
            return row;
    return table::kRows.back(); // not reached: the static_assert in the source proves completeness
}

/// The actual status (1.3): the rules S, A, B in this order, then the table; adoption (1.4) before
/// all.
constexpr Verdict classify(StatusInputs const& in) {
    bool const is_open = in.standby == StandbyView::Open;
    bool const has_request = in.standby != StandbyView::NoRequest;
    bool const is_silent = in.current == HeartbeatStatus::None;

    if (in.adopted)
        return {ActualStatus::ManuallyOn, kRuleAdopted};
    if (in.power == PowerStatus::On && is_silent && has_request && !in.confirmed)
        return {is_open ? ActualStatus::Starting : ActualStatus::StartupDelayed, kRuleStarting};
    if (in.power == PowerStatus::Off && is_silent && in.previous == HeartbeatStatus::None &&
        has_request)
        return {ActualStatus::Off, kRuleAcknowledged};
    if (in.power == PowerStatus::Off && is_silent && in.blocked)
        return {ActualStatus::Unknown, kRuleBlocked};

    auto const& row = find_row(in.power, in.previous, in.current);
    return {is_open ? row.open : row.elapsed, row.label};
}

struct ServerState;
StatusInputs inputs_of(ServerState const& state);
/// The status of a server as it stands, with its row or rule.
Verdict classify(ServerState const& state);

} // namespace cpm::core
