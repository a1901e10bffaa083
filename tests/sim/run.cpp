#include "tests/sim/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace cpm::sim {
namespace {

constexpr int kTries = 400;
constexpr int kOtherSeeds = 100;
constexpr std::chrono::minutes kLongest{3};
constexpr std::chrono::seconds kSetUp = std::chrono::minutes(4);

/// What was broken, without the numbers and names that differ from world to world.
std::string kind_of(Verdict const& verdict) {
    if (!verdict.broken)
        return "";
    auto kind = fmt::format("{}: {}", to_string(*verdict.broken), verdict.what);
    std::erase_if(kind, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    return kind;
}

/// Tries what is less, and keeps what breaks in the same way.
class Shrinking {
  public:
    Shrinking(Options const& failing, Verdict const& verdict, std::function<bool()> const& goes_on)
        : least_(failing)
        , kind_(kind_of(verdict))
        , goes_on_(goes_on) {
        least_.tells = false;
        cut(least_, verdict);
    }

    bool take(Options const& smaller) {
        if (!may_try())
            return false;
        auto const again = run(smaller);
        if (kind_of(again) != kind_)
            return false;
        least_ = smaller;
        cut(least_, again);
        return true;
    }

    bool may_try() {
        return ++tries_ <= kTries && goes_on_() &&
               std::chrono::steady_clock::now() - began_ < kLongest;
    }

    Options const& least() const { return least_; }

  private:
    /// What comes after it has no part in it.
    static void cut(Options& options, Verdict const& verdict) {
        auto const end = std::chrono::ceil<std::chrono::seconds>(verdict.at) - kSetUp;
        if (end > std::chrono::seconds(1))
            options.length = std::min(options.length, end);
    }

    Options least_;
    std::string const kind_;
    std::function<bool()> const& goes_on_;
    std::chrono::steady_clock::time_point const began_ = std::chrono::steady_clock::now();
    int tries_ = 0;
};

void take_fewer_servers(Shrinking& shrinking) {
    auto const drawn = static_cast<std::uint32_t>(World(shrinking.least()).plan().servers.size());
    for (std::uint32_t servers = 1; servers < drawn; ++servers) {
        auto fewer = shrinking.least();
        fewer.servers = servers;
        if (shrinking.take(fewer))
            return;
    }
}

void take_fewer_faults(Shrinking& shrinking) {
    for (std::size_t i = 0; i < kFaults; ++i) {
        auto fewer = shrinking.least();
        fewer.faults = fewer.faults.without(static_cast<Fault>(i));
        if (fewer.faults.bits() != shrinking.least().faults.bits())
            shrinking.take(fewer);
    }
}

/// Another world may break in the same way, and sooner.
void take_other_seeds(Shrinking& shrinking) {
    auto const first = shrinking.least().seed;
    for (int i = 1; i <= kOtherSeeds && shrinking.least().length > std::chrono::minutes(1); ++i) {
        auto other = shrinking.least();
        other.seed = first + static_cast<std::uint64_t>(i);
        other.length = other.length * 9 / 10;
        shrinking.take(other);
    }
}

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
    } catch (std::exception const& thrown) { // in the product it would have ended the process
        verdict.broken = Invariant::Runs;
        verdict.what = thrown.what();
        verdict.result.faults = world.journal().counts();
    }
    verdict.at = world.schedule().now();
    verdict.history = world.journal().last_lines();
    return verdict;
}

Options
shrink(Options const& failing, Verdict const& verdict, std::function<bool()> const& goes_on) {
    Shrinking shrinking(failing, verdict, goes_on);
    // What cannot be repeated cannot be made less.
    if (!shrinking.take(shrinking.least()))
        return failing;
    take_fewer_servers(shrinking);
    take_fewer_faults(shrinking);
    take_other_seeds(shrinking);
    take_fewer_servers(shrinking);
    take_fewer_faults(shrinking);
    return shrinking.least();
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
