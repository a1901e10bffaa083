// cpm-sim-planted: the worlds of cpm-sim, with a bug planted in the product that its judge must
// find (docs/reliability.md, "Planted bugs").
#include "tests/sim/planted/planted.hpp"
#include "tests/sim/run.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace cpm::sim;

struct Plant {
    std::string_view name;
    std::string_view file;
    std::string_view what;
    std::vector<std::string_view> breaks; ///< one of them is broken first
    std::uint64_t seed = 0;               ///< of a world in which it is
};

std::vector<Plant> const& plants() {
    static std::vector<Plant> const all{
#include <plants.inc>
    };
    return all;
}

struct Wishes {
    std::uint64_t first = 1;
    std::uint64_t last = 1000;
    bool quick = false;
};

Verdict run_with(int bug, std::uint64_t seed) {
    Options options;
    options.seed = seed;
    planted_bug = bug;
    auto verdict = run(options);
    planted_bug = 0;
    return verdict;
}

bool is_named(Plant const& plant, Verdict const& verdict) {
    return verdict.broken && std::ranges::count(plant.breaks, to_string(*verdict.broken)) > 0;
}

/// The first world that goes wrong.
std::optional<std::pair<std::uint64_t, Verdict>>
search(Plant const& plant, int bug, Wishes const& wishes) {
    if (wishes.quick)
        if (auto verdict = run_with(bug, plant.seed); is_named(plant, verdict))
            return std::pair(plant.seed, std::move(verdict));
    for (auto seed = wishes.first; seed <= wishes.last; ++seed)
        if (auto verdict = run_with(bug, seed); verdict.broken)
            return std::pair(seed, std::move(verdict));
    return std::nullopt;
}

/// Whether it is found, by the invariant that it breaks, in a world that is fine without it.
bool find(Plant const& plant, Wishes const& wishes) {
    auto const bug = static_cast<int>(&plant - plants().data()) + 1;
    auto const found = search(plant, bug, wishes);
    if (!found) {
        fmt::print("{}: NOT FOUND from seed {} to {}\n", plant.name, wishes.first, wishes.last);
        return false;
    }
    auto const& [seed, verdict] = *found;
    fmt::print(
        "{}: found at seed {} by \"{}\": {}\n",
        plant.name,
        seed,
        to_string(*verdict.broken),
        verdict.what
    );
    std::fflush(stdout);
    if (!is_named(plant, verdict)) {
        fmt::print("  but it breaks \"{}\"\n", fmt::join(plant.breaks, "\" or \""));
        return false;
    }
    if (auto const without = run_with(0, seed); without.broken) {
        fmt::print("  but this world breaks without it, too: {}\n", without.what);
        return false;
    }
    return true;
}

} // namespace

int main(int argc, char** argv) {
    Wishes wishes;
    std::string name = "all";
    std::string seeds;
    CLI::App app("Bugs planted in the product, for the simulator to find");
    app.add_option(
        "--planted", name, "the bug to plant; all: one after the other; list: their names"
    );
    app.add_option("--seeds", seeds, "A..B: the worlds to search, in their order; 1..1000");
    app.add_flag("--quick", wishes.quick, "begins with the seed that is known for each");
    CLI11_PARSE(app, argc, argv);
    if (auto const dots = seeds.find(".."); dots != seeds.npos) {
        wishes.first = std::stoull(seeds.substr(0, dots));
        wishes.last = std::stoull(seeds.substr(dots + 2));
    }
    std::size_t looked = 0;
    std::size_t found = 0;
    for (auto const& plant : plants()) {
        if (name == "list") {
            fmt::print("{:30} {}: {}\n", plant.name, plant.file, plant.what);
            continue;
        }
        if (name != "all" && name != plant.name)
            continue;
        ++looked;
        found += find(plant, wishes) ? 1 : 0;
    }
    if (name == "list")
        return 0;
    if (looked == 0)
        fmt::print("there is no planted bug {}: --planted list names them\n", name);
    else
        fmt::print("{} of {} planted bugs found\n", found, looked);
    return looked > 0 && found == looked ? 0 : 1;
}
