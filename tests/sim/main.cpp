#include "tests/sim/world.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

int main(int argc, char** argv) {
    using namespace cpm::sim;
    CLI::App app("CPM in a simulated world");
    Options options;
    double hours = 2;
    bool no_faults = false;
    app.add_option("--seed", options.seed);
    app.add_option("--servers", options.servers);
    app.add_option("--interval", options.interval);
    app.add_option("--hours", hours);
    app.add_flag("--print-history", options.tells);
    app.add_flag("--no-faults", no_faults);
    CLI11_PARSE(app, argc, argv);
    options.length = std::chrono::seconds(static_cast<long>(hours * 3600));
    if (no_faults)
        options.faults = FaultSet::none();
    auto const began = std::chrono::steady_clock::now();
    World world(options);
    try {
        auto const result = world.run();
        std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
        auto const simulated = std::chrono::duration<double>(world.schedule().now()).count();
        fmt::print(
            "seed {}: {} events, {} acts, {} happenings, {:.2f} s, {:.0f} times real time, sum "
            "{}\n",
            options.seed,
            result.events,
            result.acts,
            result.happenings,
            took.count(),
            simulated / took.count(),
            result.sum
        );
        for (std::size_t i = 0; i < kFaults; ++i)
            fmt::print("  {}: {}\n", kFaultNames[i], result.faults[i]);
    } catch (Violation const& violation) {
        fmt::print(
            "seed {}: {}: {}\n", options.seed, to_string(violation.invariant), violation.what()
        );
        return 1;
    }
}
