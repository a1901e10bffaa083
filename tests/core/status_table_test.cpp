// The status table against a literal list of all situations, and against the document.
#include "core/server_state.hpp"
#include "core/status_table.hpp"
#include "tests/core/document_table.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace cpm::core;

namespace {

constexpr auto kPowerOn = PowerStatus::On;
constexpr auto kPowerOff = PowerStatus::Off;
constexpr auto kWasOn = HeartbeatStatus::On;
constexpr auto kWasStopping = HeartbeatStatus::Stopping;
constexpr auto kWasNone = HeartbeatStatus::None;
constexpr auto kIsOn = HeartbeatStatus::On;
constexpr auto kIsStopping = HeartbeatStatus::Stopping;
constexpr auto kIsNone = HeartbeatStatus::None;
constexpr bool kConfirmed = true;
constexpr bool kUnconfirmed = false;
constexpr bool kBlocked = true;
constexpr bool kFree = false;

struct Situation {
    PowerStatus power;
    HeartbeatStatus previous;
    HeartbeatStatus current;
    StandbyView standby;
    bool confirmed;
    bool blocked;
    ActualStatus actual;
    std::string rule;
};

std::vector<Situation> const& situations() {
    using enum StandbyView;
    using enum ActualStatus;
    // clang-format off
    static std::vector<Situation> const all{
#include "tests/core/classify_rows.inc"
    };
    // clang-format on
    return all;
}

StatusInputs inputs(Situation const& row, bool adopted) {
    return {row.power, row.previous, row.current, row.standby, row.confirmed, row.blocked, adopted};
}

std::string in_document(StatusRow const& row) {
    auto const open = std::string(to_string(row.open));
    if (row.open == row.elapsed)
        return open;
    return open + "; once the standby time has elapsed: " + std::string(to_string(row.elapsed));
}

} // namespace

TEST_CASE("classify: the literal list holds each of the 216 situations once (1.3)") {
    std::set<std::tuple<int, int, int, int, bool, bool>> seen;
    for (auto const& row : situations())
        seen.emplace(
            static_cast<int>(row.power),
            static_cast<int>(row.previous),
            static_cast<int>(row.current),
            static_cast<int>(row.standby),
            row.confirmed,
            row.blocked
        );
    CHECK(situations().size() == 216);
    CHECK(seen.size() == 216);
}

TEST_CASE("classify: every situation has the status and the reason that the list says (1.3)") {
    for (auto const& row : situations()) {
        CAPTURE(row.rule);
        CAPTURE(static_cast<int>(row.standby));
        CAPTURE(row.confirmed);
        CAPTURE(row.blocked);
        auto const verdict = classify(inputs(row, false));
        CHECK(to_string(verdict.actual) == to_string(row.actual));
        CHECK(verdict.rule == row.rule);
    }
}

TEST_CASE("classify: a server turned on by hand is ManuallyON in every situation (1.4)") {
    for (auto const& row : situations()) {
        auto const verdict = classify(inputs(row, true));
        CHECK(verdict.actual == ActualStatus::ManuallyOn);
        CHECK(verdict.rule == "adopted");
    }
}

TEST_CASE("the table: the 18 rows of docs/status-model.md are core's, in the same order (1.3)") {
    auto const rows = read_document_table({"power", "previous", "current", "actual"});
    REQUIRE(rows.size() == 18);
    REQUIRE(table::kRows.size() == 18);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        auto const& row = table::kRows[i];
        REQUIRE(rows[i].size() == 4);
        CHECK(rows[i][0] == to_string(row.power));
        CHECK(rows[i][1] == to_string(row.previous));
        CHECK(rows[i][2] == to_string(row.current));
        CHECK(rows[i][3] == in_document(row));
        CHECK(row.label == rows[i][0] + "/" + rows[i][1] + "/" + rows[i][2]);
    }
}

TEST_CASE("the table: the rules that stand before it are those of the document, in order (1.3)") {
    auto const rows = read_document_table({"rule", "when", "actual"});
    std::vector<std::string_view> const names{
        kRuleAdopted, kRuleStarting, kRuleAcknowledged, kRuleBlocked};
    REQUIRE(rows.size() == names.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        CHECK(rows[i].at(0) == names[i]);
}

TEST_CASE("the manifest: says OFF exactly where the document's table does (1.4)") {
    auto const rows =
        read_document_table({"power", "ordered", "standby", "answered", "the manifest says"});
    for (auto power : {PowerStatus::On, PowerStatus::Off})
        for (bool ordered : {false, true})
            for (auto standby : {Standby::Open, Standby::Elapsed})
                for (bool answered : {false, true}) {
                    ServerState state;
                    state.power = power;
                    state.request = Request{
                        .sequence = {7},
                        .target = power,
                        .standby = standby,
                        .ordered = ordered,
                        .answered = answered};
                    int fitting = 0;
                    for (auto const& row : rows)
                        if (cell_fits(row.at(0), to_string(power)) &&
                            cell_fits(row.at(1), ordered ? "yes" : "no") &&
                            cell_fits(row.at(2), standby == Standby::Open ? "open" : "elapsed") &&
                            cell_fits(row.at(3), answered ? "yes" : "no")) {
                            ++fitting;
                            CHECK(row.at(4) == to_string(manifest_power(state)));
                        }
                    CHECK(fitting == 1);
                }
}

TEST_CASE("the manifest: says ON when there is no request (1.4)") {
    ServerState state;
    CHECK(manifest_power(state) == PowerStatus::On);
}

TEST_CASE("a server just added: OFF, silent, no request, Unknown (1.2)") {
    ServerState const state;
    CHECK(state.power == PowerStatus::Off);
    CHECK(state.previous == HeartbeatStatus::None);
    CHECK(state.current == HeartbeatStatus::None);
    CHECK(!state.request);
    CHECK(state.actual == ActualStatus::Unknown);
    CHECK(classify(state) == Verdict{ActualStatus::Unknown, "OFF/None/None"});
}

TEST_CASE("people read ManuallyON as ON, and every other status by its own name (1.2)") {
    CHECK(display_name(ActualStatus::ManuallyOn) == "ON");
    CHECK(display_name(ActualStatus::ShutdownDelayed) == "ShutdownDelayed");
}
