#include "tests/sim/run.hpp"

#include <fmt/format.h>

namespace cpm::sim {
namespace {

constexpr int kTries = 200;
constexpr std::chrono::seconds kSetUp = std::chrono::minutes(4);

} // namespace

Verdict run(Options const& options) {
    World world(options);
    Verdict verdict;
    try {
        verdict.result = world.run();
    } catch (Violation const& violation) {
        verdict.broken = violation.invariant;
        verdict.what = violation.what();
        verdict.result.faults = world.journal().counts();
    }
    verdict.at = world.schedule().now();
    return verdict;
}

Options shrink(Options const& failing, Verdict const& verdict) {
    auto least = failing;
    least.tells = false;
    int tries = 0;
    auto const take = [&](Options const& smaller) {
        if (++tries > kTries)
            return false;
        auto const again = run(smaller);
        if (again.broken != verdict.broken)
            return false;
        least = smaller;
        // What comes after it has no part in it.
        auto const end = std::chrono::ceil<std::chrono::seconds>(again.at) - kSetUp;
        if (end > std::chrono::seconds(1) && end < least.length)
            least.length = end;
        return true;
    };
    take(least);
    auto const drawn = static_cast<std::uint32_t>(World(failing).plan().servers.size());
    for (std::uint32_t servers = 1; servers < drawn; ++servers) {
        auto fewer = least;
        fewer.servers = servers;
        if (take(fewer))
            break;
    }
    for (std::size_t i = 0; i < kFaults; ++i) {
        auto fewer = least;
        fewer.faults = least.faults.without(static_cast<Fault>(i));
        if (fewer.faults.bits() != least.faults.bits())
            take(fewer);
    }
    return least;
}

std::string command_line(Options const& options) {
    auto line = fmt::format(
        "cpm-sim --seed {} --seconds {} --faults {:#x} --trouble {}",
        options.seed,
        options.length.count(),
        options.faults.bits(),
        options.trouble
    );
    if (options.servers > 0)
        line += fmt::format(" --servers {}", options.servers);
    if (options.interval > 0)
        line += fmt::format(" --interval {}", options.interval);
    return line;
}

} // namespace cpm::sim
