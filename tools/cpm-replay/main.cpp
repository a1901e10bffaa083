// cpm-replay: the audit tool. Opens a log directory read-only, also while the manager runs, and
// shows from it what happened and why (event log 2.4). It decides nothing and changes nothing.
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/output.hpp"

#include <iostream>

namespace cpm::replay {
namespace {

Outcome run(Options const& options) {
    auto const log = eventstore::RocksDbReader::open(options.data_dir);
    if (!log) // not wrong usage, even when there is none
        return core::fail(core::ErrorCode::Storage, log.error().detail);
    switch (options.command) {
    case Command::Log: return show_log(**log, options);
    case Command::State: return show_state(**log, options);
    case Command::Transitions: return show_transitions(**log, options);
    case Command::Verify: return verify(**log, options);
    }
    return kWrongUsage;
}

int report(core::Error const& error, Command command) {
    std::cerr << "cpm-replay: " << error.detail << '\n';
    if (error.code == core::ErrorCode::NotFound)
        return kWrongUsage;
    if (error.code == core::ErrorCode::Corrupt && command != Command::Verify)
        std::cerr << "cpm-replay: what follows is not shown; cpm-replay verify finds all faults\n";
    return kUnreadable;
}

int main_of(Options const& options) {
    stop_on_signals();
    auto const outcome = run(options);
    flush_output();
    if (!(stop_requested() && options.follow)) // the usual end of following
        die_of_signal();
    return outcome ? *outcome : report(outcome.error(), options.command);
}

} // namespace
} // namespace cpm::replay

int main(int argc, char** argv) {
    auto const parsed = cpm::replay::parse_options(argc, argv);
    if (auto const* code = std::get_if<int>(&parsed))
        return *code;
    return cpm::replay::main_of(std::get<cpm::replay::Options>(parsed));
}
