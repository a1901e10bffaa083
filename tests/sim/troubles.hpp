#pragma once

#include "tests/sim/schedule.hpp"

namespace cpm::sim {

class World;

/// What goes wrong beside the packets: now with one part of the world, now with another.
class Troubles {
  public:
    explicit Troubles(World& world)
        : world_(world) {}

    /// From now on, until `end`.
    void begin(Time end);

  private:
    void next();
    void strike();
    void strike_manager();
    void strike_disk();
    void strike_machine();
    void strike_line();
    void clone();

    World& world_;
    Time end_{};
};

} // namespace cpm::sim
