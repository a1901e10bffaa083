#pragma once

#include "core/fleet.hpp"
#include "tests/sim/reading.hpp"
#include "tests/sim/schedule.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cpm::sim {

class Machine;
class World;

/// Holds the quiet time after the faults to what it must come to: each server's status is true
/// three heartbeat timeouts after its machine came to rest and its agent could ask, and stays so;
/// each request ends.
///
/// Operation: begin(), then look() once a second until it says that everything came to its end.
/// Both that and the hooks throw Violation.
class Afterwards {
  public:
    explicit Afterwards(World& world)
        : world_(world) {}

    void begin();
    bool look(Reading const& reading);

    // --- what a server's time is counted from

    void manager_serves();
    /// It came up, went down, slept, hung or went on; or its agent began anew.
    void changed(Machine const& machine);
    /// Its agent reports.
    void asked(Machine const& machine);

  private:
    struct Quiet {
        Time since{};
        std::optional<Time> asked; ///< first since then
    };
    Quiet& quiet(Machine const& machine);
    void all_anew();
    bool is_at_rest(Machine const& machine, Reading const& reading);
    /// Nothing may be said of it yet: it waits for an administrator.
    Time longest(Reading const& reading) const;
    bool waits(Machine const& machine, core::Server const& server) const;
    Time timeout(Machine const& machine, Reading const& reading) const;
    void check_ask(Machine const& machine, Time interval, Quiet const& quiet) const;

    World& world_;
    bool began_ = false;
    Time began_at_{};
    std::vector<Quiet> quiet_; ///< by machine
};

} // namespace cpm::sim
