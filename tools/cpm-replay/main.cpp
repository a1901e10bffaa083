// cpm-replay: the audit tool. Opens a log directory read-only, also while the manager runs, and
// shows from it what happened and why (event log 2.4). It decides nothing and changes nothing.
#include "tools/cpm-replay/beside_check.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/output.hpp"

#include <cstring>
#include <iostream>

namespace cpm::replay {
namespace {

using eventstore::RocksDbReader;
using Log = std::unique_ptr<RocksDbReader>;

/// Looking at what is left of a log is what this program is for; but nobody must take it for all:
/// `is_whole` becomes false, and standard error says why.
core::Result<Log> open_log(std::filesystem::path const& data_dir, Command command, bool& is_whole) {
    // The witness before the log: a running manager has always appended what it names.
    auto const witness = eventstore::read_witness(eventstore::SideFiles(data_dir));
    auto log = RocksDbReader::open(data_dir);
    if (!log) // not wrong usage, even when there is none
        return core::fail(core::ErrorCode::Storage, log.error().detail);
    if (command == Command::Verify) // it says so itself
        return log;
    auto const why = why_not_all(data_dir, witness, **log);
    if (!why.empty()) {
        std::cerr << "cpm-replay: the log in " << data_dir.string() << " is not whole: " << why
                  << "; cpm-replay verify finds all faults\n";
        is_whole = false;
    }
    return log;
}

Outcome run_on_two(Options const& options, bool& is_whole) {
    auto const first = open_log(options.logs[0], options.command, is_whole);
    if (!first)
        return tl::make_unexpected(first.error());
    auto const second = open_log(options.logs[1], options.command, is_whole);
    if (!second)
        return tl::make_unexpected(second.error());
    return diff_logs(**first, **second, options);
}

Outcome run(Options const& options, bool& is_whole) {
    bool const has_two = options.command == Command::Diff && !options.logs.empty();
    if (has_two)
        return run_on_two(options, is_whole);
    if (options.command == Command::Backup)
        return backup(options);
    if (options.command == Command::Restore)
        return restore(options);
    if (options.command == Command::Import)
        return import_log(options);
    auto const log = open_log(options.data_dir, options.command, is_whole);
    if (!log)
        return tl::make_unexpected(log.error());
    switch (options.command) {
    case Command::Log: return show_log(**log, options);
    case Command::State: return show_state(**log, options);
    case Command::Transitions: return show_transitions(**log, options);
    case Command::Explain: return explain(**log, options);
    case Command::Step: return step(**log, options);
    case Command::Diff: return diff_moments(**log, options);
    case Command::Verify: return verify(**log, options);
    case Command::Stats: return show_stats(**log, options);
    case Command::WhatIf: return what_if(**log, options);
    case Command::Export: return export_log(**log, options);
    case Command::Backup:
    case Command::Restore:
    case Command::Import: break; // see above
    }
    return kWrongUsage;
}

int report(core::Error const& error, Command command) {
    std::cerr << "cpm-replay: " << error.detail << '\n';
    bool const is_usage =
        error.code == core::ErrorCode::NotFound || error.code == core::ErrorCode::Conflict;
    if (is_usage)
        return kWrongUsage;
    bool const is_shown = command != Command::Verify && command != Command::Import &&
                          command != Command::Backup && command != Command::Restore;
    if (error.code == core::ErrorCode::Corrupt && is_shown)
        std::cerr << "cpm-replay: what follows is not shown; cpm-replay verify finds all faults\n";
    return kUnreadable;
}

int main_of(Options const& options) {
    stop_on_signals();
    bool is_whole = true;
    auto const outcome = run(options, is_whole);
    flush_output();
    if (!(stop_requested() && options.follow)) // the usual end of following
        die_of_signal();
    if (!outcome)
        return report(outcome.error(), options.command);
    if (int const error = output_error()) {
        std::cerr << "cpm-replay: what it shows cannot be written: " << std::strerror(error)
                  << '\n';
        return kUnreadable;
    }
    return is_whole ? *outcome : kUnreadable;
}

} // namespace
} // namespace cpm::replay

int main(int argc, char** argv) {
    auto const parsed = cpm::replay::parse_options(argc, argv);
    if (auto const* code = std::get_if<int>(&parsed))
        return *code;
    return cpm::replay::main_of(std::get<cpm::replay::Options>(parsed));
}
