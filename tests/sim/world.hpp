#pragma once

#include "tests/sim/journal.hpp"
#include "tests/sim/judge.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/manager_host.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/people.hpp"
#include "tests/sim/plan.hpp"
#include "tests/sim/troubles.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace cpm::sim {

/// What came of a run that broke no invariant.
struct Result {
    FaultCounts faults{};
    std::uint64_t happenings = 0;
    std::uint64_t acts = 0;   ///< machines that went down as ordered
    std::uint64_t starts = 0; ///< machines that came up because somebody asked for ON
    std::uint64_t events = 0; ///< in the log at the end
    /// One number over the log's bytes (its head's hash), the answers and the effects.
    std::string sum;
};

/// One cluster, its people and its troubles, from one seed: the same options, the same run.
///
/// Operation: run() sets the fleet up through the real commands, lets people and faults at it for
/// the time asked for, then leaves it alone until every status must be true. It throws Violation.
class World {
  public:
    explicit World(Options const& options);
    ~World();

    Result run();

    // --- its parts, for one another

    Schedule& schedule() { return schedule_; }
    Journal& journal() { return journal_; }
    Dice& dice(Chance of) { return dice_[static_cast<std::size_t>(of)]; }
    Plan const& plan() const { return plan_; }
    Options const& options() const { return options_; }
    Judge& judge() { return *judge_; }
    ManagerHost& manager() { return *manager_; }
    Network& network() { return *network_; }
    People& people() { return *people_; }
    /// Those of the plan first, then clones.
    std::vector<std::unique_ptr<Machine>>& machines() { return machines_; }
    Machine& add_machine(Machine::Build const& build);

    /// Whether a fault strikes now, which it does so often in a million; never while it is calm.
    bool may(Fault fault, std::uint32_t in_a_million);
    bool may(Fault fault, Chance by, std::uint32_t in_a_million);
    /// The same, and it is counted.
    bool happens(Fault fault, std::uint32_t in_a_million);
    bool is_calm() const { return calm_; }

    void send(Machine& from, Request&& request, ReplyTo reply);
    void send_packet(wol::MacAddress const& mac, std::uint8_t segment);

  private:
    void set_up();
    void settle();
    Result result();

    Options options_;
    Schedule schedule_;
    Journal journal_;
    std::array<Dice, kChances> dice_;
    Plan plan_;
    bool calm_ = true;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::unique_ptr<Judge> judge_;
    std::unique_ptr<ManagerHost> manager_;
    std::unique_ptr<Network> network_;
    std::unique_ptr<People> people_;
    std::unique_ptr<Troubles> troubles_;
};

} // namespace cpm::sim
