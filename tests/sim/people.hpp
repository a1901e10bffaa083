#pragma once

#include "core/ids.hpp"
#include "core/status.hpp"
#include "tests/sim/schedule.hpp"

#include <deque>
#include <string>

namespace cpm::sim {

class Machine;
class World;

/// Who presses buttons, on the page and on the case; and an administrator who looks at it now and
/// then. Their browsers reach the manager or not; an answer may be lost, and is then asked for
/// again with the same Idempotency-Key.
class People {
  public:
    explicit People(World& world)
        : world_(world) {}

    /// From now on, until `end`.
    void come(Time end);
    /// Ends what waits for an administrator: a rollback, a server set aside, a lost credential.
    void administer();
    /// The machine gets a join token of this server and joins.
    void join(Machine& machine, core::ServerId server);

  private:
    struct Wish {
        std::string key;
        core::ServerId server;
        core::PowerStatus target{};
    };

    void next();
    void press();
    void ask(Wish const& wish);
    void ask_many();
    void ask_again();
    void change_setting();
    void wake();
    void press_case();
    void hold();
    core::ServerId any_server();
    core::PowerStatus any_target(core::ServerId server);

    World& world_;
    Time end_{};
    std::uint64_t keys_ = 0;
    std::deque<Wish> wishes_;
};

} // namespace cpm::sim
