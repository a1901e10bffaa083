#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"
#include "core/timer_wheel.hpp"

#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

namespace cpm::manager {

enum class DeadlineKind : std::uint8_t {
    Silence,  ///< about: the heartbeat that must be followed by another
    Standby,  ///< about: the request whose standby time passes
    Wake,     ///< about: the ON request a magic packet is due for
    WakeTurn, ///< about: the same; its turn among many has come
};

struct Due {
    core::ServerId server;
    DeadlineKind kind{};
    core::Sequence about;
};

/// The deadlines of the fleet: at most one of each kind a server, on one timer wheel.
class Deadlines {
  public:
    explicit Deadlines(core::MonoTime now);

    /// Sets or moves a deadline.
    void set(core::ServerId server, DeadlineKind kind, core::MonoTime at, core::Sequence about);
    void clear(core::ServerId server, DeadlineKind kind);
    /// A removed server has none.
    void forget(core::ServerId server);

    /// When it is due; none when it is not set.
    std::optional<core::MonoTime> at(core::ServerId server, DeadlineKind kind) const;

    /// Appends what has become due to `due`, in the order of the deadlines, and clears it.
    void take_due(core::MonoTime now, std::vector<Due>& due);
    std::optional<core::MonoTime> next_due() const { return wheel_.next_due(); }
    std::size_t size() const { return wheel_.size(); }

  private:
    struct Timer {
        core::TimerId id;
        core::MonoTime at;
        core::Sequence about; ///< none: not set
    };
    struct Slot {
        core::ServerId server;
        std::array<Timer, 4> timers;
    };
    Timer* find(core::ServerId server, DeadlineKind kind);

    core::TimerWheel wheel_;
    std::vector<Slot> slots_; ///< the wheel's payload is the slot's index and the kind
    std::vector<std::size_t> free_;
    std::unordered_map<core::ServerId, std::size_t> slot_of_;
};

} // namespace cpm::manager
