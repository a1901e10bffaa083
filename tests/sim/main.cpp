// cpm-sim: runs the product in simulated worlds, one seed each (docs/reliability.md).
#include "tests/sim/run.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>

namespace {

using namespace cpm::sim;

constexpr std::size_t kHistory = 60;

struct Wishes {
    Options options;
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    bool forever = false;
    bool twice = false;
    bool counts = false;
    std::uint64_t each_fault = 0;
};

volatile std::sig_atomic_t is_stopped = 0;

/// How the world under way is repeated, for a product that ends the process.
std::string under_way;

/// The world under way ends first; the second signal ends the process.
void stop(int signal) {
    is_stopped = 1;
    std::signal(signal, SIG_DFL);
}

/// An assertion that fails, or worse: which world it was is the last thing that is said.
void fall(int signal) {
    std::signal(signal, SIG_DFL);
    [[maybe_unused]] auto const written =
        ::write(STDOUT_FILENO, under_way.data(), under_way.size());
    std::raise(signal);
}

bool goes_on() {
    return is_stopped == 0;
}

std::string read_commit() {
    std::unique_ptr<FILE, int (*)(FILE*)> const git(
        ::popen("git -C '" CPM_SOURCE_DIR "' rev-parse --short HEAD 2>/dev/null", "r"), ::pclose
    );
    std::array<char, 64> line{};
    if (!git || !std::fgets(line.data(), line.size(), git.get()))
        return "unknown";
    std::string text = line.data();
    return text.substr(0, text.find('\n'));
}

std::string const& commit() {
    static std::string const hash = read_commit();
    return hash;
}

void report(Options const& failing, Verdict const& verdict) {
    fmt::print(
        "seed {} breaks \"{}\": {}\n  commit {}, {}\n",
        failing.seed,
        to_string(*verdict.broken),
        verdict.what,
        commit(),
        command_line(failing)
    );
    std::fflush(stdout);
    auto least = shrink(failing, verdict, goes_on);
    fmt::print("  the least that breaks it: {} --print-history\n", command_line(least));
    least.kept = kHistory;
    auto const again = run(least);
    fmt::print("  its last {} lines:\n", again.history.size());
    for (auto const& line : again.history)
        fmt::print("  {}\n", line);
    fmt::print("  {}\n", again.broken ? again.what : "it does not break again");
}

/// Whether every run went well, the same twice if that was asked for.
bool run_seed(Wishes const& wishes, std::uint64_t seed, FaultCounts& counts, Time& simulated) {
    auto options = wishes.options;
    options.seed = seed;
    under_way = fmt::format(
        "the process ends in this world: commit {}, {}\n", commit(), command_line(options)
    );
    auto const verdict = run(options);
    simulated += verdict.at;
    for (std::size_t i = 0; i < kFaults; ++i)
        counts[i] += verdict.result.faults[i];
    if (verdict.broken) {
        report(options, verdict);
        return false;
    }
    auto const& sum = verdict.result.sum;
    if ((wishes.first == wishes.last && !wishes.forever) || wishes.twice)
        fmt::print(
            "seed {}: {} events, {} orders carried out, sum {}\n",
            seed,
            verdict.result.events,
            verdict.result.acts,
            sum
        );
    if (wishes.twice && run(options).result.sum != sum) {
        fmt::print("seed {} does not repeat itself\n", seed);
        return false;
    }
    return true;
}

/// Faults that the runs were to meet more often.
bool met_all(Wishes const& wishes, FaultCounts const& counts) {
    bool all = true;
    for (std::size_t i = 0; i < kFaults; ++i) {
        if (wishes.counts)
            fmt::print("  {:9} {}\n", counts[i], kFaultNames[i]);
        if (counts[i] < wishes.each_fault) {
            all = false;
            fmt::print(
                "{}: met {} times, to be {}\n", kFaultNames[i], counts[i], wishes.each_fault
            );
        }
    }
    return all;
}

} // namespace

int main(int argc, char** argv) {
    Wishes wishes;
    auto& options = wishes.options;
    double hours = 2;
    std::int64_t seconds = 0;
    std::uint64_t faults = FaultSet::all().bits();
    std::string seeds;
    bool no_faults = false;
    CLI::App app("CPM in simulated worlds, one seed each");
    app.add_option("--seed", wishes.first, "this world alone");
    app.add_option("--seeds", seeds, "A..B: each of them");
    app.add_flag("--forever", wishes.forever, "from the seed on, until it is stopped");
    app.add_option("--servers", options.servers, "0: as the seed says");
    app.add_option("--interval", options.interval, "of heartbeats in seconds; 0: as the seed says");
    app.add_option("--hours", hours, "how long faults and people come");
    app.add_option("--seconds", seconds, "the same, exactly");
    app.add_option("--trouble", options.trouble, "how often they come, in per cent of the usual");
    app.add_option("--faults", faults, "which kinds may happen, as bits");
    app.add_flag("--no-faults", no_faults);
    app.add_option("--each-fault", wishes.each_fault, "fails unless each kind was met so often");
    app.add_flag("--counts", wishes.counts, "prints how often each kind was");
    app.add_flag("--twice", wishes.twice, "each seed again: it must be the same");
    app.add_flag("--print-history", options.tells);
    CLI11_PARSE(app, argc, argv);
    options.length = std::chrono::seconds(seconds > 0 ? seconds : std::int64_t(hours * 3600));
    options.faults = no_faults ? FaultSet::none() : FaultSet(faults);
    wishes.last = wishes.first;
    if (auto const dots = seeds.find(".."); dots != seeds.npos) {
        wishes.first = std::stoull(seeds.substr(0, dots));
        wishes.last = std::stoull(seeds.substr(dots + 2));
    }

    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    for (int const signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(signal, fall);
    auto const began = std::chrono::steady_clock::now();
    FaultCounts counts{};
    Time simulated{};
    std::uint64_t failed = 0;
    auto seed = wishes.first;
    for (; goes_on() && (wishes.forever || seed <= wishes.last); ++seed) {
        failed += run_seed(wishes, seed, counts, simulated) ? 0 : 1;
        if (wishes.forever && seed % 100 == 0) {
            fmt::print("up to seed {}\n", seed);
            std::fflush(stdout);
        }
    }
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
    if (!goes_on())
        fmt::print("stopped before seed {}\n", seed);
    fmt::print(
        "{} of {} worlds failed; {:.1f} s, {:.0f} times faster than real time\n",
        failed,
        seed - wishes.first,
        took.count(),
        std::chrono::duration<double>(simulated) / took
    );
    return met_all(wishes, counts) && failed == 0 ? 0 : 1;
}
