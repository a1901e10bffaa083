#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cpm::replay {

// What was asked for on the command line (event log 2.4).

enum class Command : std::uint8_t {
    Log,
    State,
    Transitions,
    Explain,
    Step,
    Diff,
    WhatIf,
    Verify,
    Stats,
    Backup,
    Restore,
    Export,
    Import,
};
enum class Output : std::uint8_t { Table, Json, Ndjson };

/// A place in the log, as people name it.
using Moment = std::variant<core::Sequence, core::WallTime>;

struct Options {
    Command command{};
    std::filesystem::path data_dir = "/var/lib/cpm";
    Output output = Output::Table;
    bool no_color = false; ///< --no-color, or NO_COLOR is not empty

    // log; an empty list lets all pass
    std::vector<std::string> servers; ///< names or ids; but for log: one at most
    std::vector<std::string> families;
    std::vector<std::string> types;
    std::vector<std::string> actors; ///< "user:alice", "alice" or "timer"
    std::optional<Moment> from;
    std::optional<Moment> to;
    bool follow = false;

    std::optional<Moment> at; ///< state, explain; none: the end of the log

    // diff: two moments (none: the end of the log), or two data directories
    std::vector<std::optional<Moment>> moments;
    std::vector<std::string> logs;

    // what-if; none: as it was
    std::optional<core::seconds> standby;
    std::optional<std::uint32_t> missed;
    std::optional<bool> release_standby;

    std::filesystem::path path; ///< backup's target, restore's source, import's file (empty: stdin)
};

/// Exit codes of the program.
inline constexpr int kFine = 0;
inline constexpr int kFinding = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kUnreadable = 3;

/// Reads the command line and the environment (CPM_DATA_DIR, NO_COLOR). An exit code when there is
/// nothing to run: help was printed, or on standard error what was wrong.
std::variant<Options, int> parse_options(int argc, char const* const* argv);

/// "4711" or "2026-11-21T09:00:00Z".
std::optional<Moment> parse_moment(std::string const& text);

} // namespace cpm::replay
