#pragma once

#include "agent/identity.hpp"
#include "core/mac_address.hpp"
#include "tests/sim/agent_process.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cpm::sim {

class World;

/// A computer of the fleet: its power, its clocks, its card, its disk, and the agent on it.
///
/// Operation: people and faults press its buttons; its agent tells it to go down; magic packets
/// wake it. While it hangs or sleeps, what its processes were to do waits.
class Machine {
  public:
    enum class Power : std::uint8_t { Off, Booting, Running, GoingDown, Suspended };

    /// What it was built as.
    struct Build {
        std::size_t number = 0; ///< in the world
        core::MacAddress mac;
        std::uint8_t segment = 0; ///< 10.0.SEGMENT.0/24
        bool armed = true;        ///< its card wakes it
        Time boot_time = std::chrono::seconds(40);
        Time stop_time = std::chrono::seconds(8);
        Time hook_time = std::chrono::seconds(2);
    };
    Machine(World& world, Build const& build);

    // --- what a join left on its disk

    struct Joined {
        core::ServerId server;
        core::Hash credential{}; ///< the hash of its token
        agent::OrderKey key;
        std::optional<agent::Head> head; ///< kept there for the time after a reboot
    };
    void join(core::ServerId server, core::Hash const& credential, std::string const& order_key);
    std::optional<Joined> const& joined() const { return joined_; }
    void keep_head(std::optional<agent::Head> const& head) { joined_->head = head; }
    /// The disk of another, with what its join left there.
    void copy_disk(Machine const& of) { joined_ = of.joined_; }

    // --- its power

    void press_button(); ///< on, when it is off; else its system is asked to go down
    void power_cut();
    void boot(bool late = false);
    void reboot();
    void hear_packet();
    void hang(Time length);
    void suspend();
    void resume();
    void restart_agent();
    /// Its agent's act (the system's own part of it).
    void go_down(agent::OffMethod method);

    Power power() const { return power_; }
    bool is_up() const { return power_ == Power::Running || power_ == Power::GoingDown; }
    bool is_hung() const { return hung_; }
    /// Its agent looks at the clocks: of one resume it will know.
    void look() { looked_ = true; }
    bool is_frozen() const { return hung_ || power_ == Power::Suspended; }

    // --- what its agent sees of it

    agent::Clocks clocks() const;
    Time time_of(agent::microseconds boottime) const;
    std::string const& boot_id() const { return boot_id_; }
    std::string const& hold() const { return hold_; }
    void set_hold(std::string text);
    agent::Leaving leaving() const { return leaving_; }
    std::optional<Marker>& marker() { return marker_; }
    /// How often it was suspended in this boot: the truth, not the agent's count.
    std::uint64_t resumes() const { return resumes_; }

    /// Happens in this boot, when its processes run.
    void later(Time delay, std::function<void()> what);
    AgentProcess* agent() { return agent_.get(); }
    Build const& build() const { return build_; }
    std::string address() const;
    World& world() { return world_; }

  private:
    void lose_power();
    void start_agent();
    void shut_down(Time within, std::function<void()> then);
    void thaw();

    World& world_;
    Build build_;
    std::optional<Joined> joined_;
    Power power_ = Power::Off;
    std::uint64_t life_ = 0; ///< counts boots and losses of power
    Time booted_at_{};
    Time slept_{};
    Time asleep_since_{};
    std::uint64_t resumes_ = 0; ///< that its agent can tell from one another
    bool looked_ = true;        ///< since the last one
    std::string boot_id_;
    std::string hold_;
    agent::Leaving leaving_ = agent::Leaving::No;
    bool hung_ = false;
    std::uint64_t hangs_ = 0;
    std::vector<std::function<void()>> waiting_; ///< for it to go on
    std::optional<Marker> marker_;               ///< in /run
    std::unique_ptr<AgentProcess> agent_;
};

} // namespace cpm::sim
