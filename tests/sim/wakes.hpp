#pragma once

#include "core/event.hpp"
#include "tests/sim/schedule.hpp"

#include <map>
#include <optional>

namespace cpm::sim {

class SecondReading;

/// Magic packets (status model 1.6): what the manager sends is in the log, for a request that
/// stands and was durable before; whoever waits for its start gets them when they are due, and no
/// sooner. A value, read from the log as the other books are.
class Wakes {
  public:
    /// `live`: it was decided then; else it was found at a start.
    void enter(core::Event const& event, SecondReading const& model, Time decided, bool live);
    /// A start: who waits gets the next packet within its pause.
    void begin(SecondReading const& model, Time now);
    /// The manager could not turn until now.
    void was_away(Time now);
    /// A round began then, and all it came to is known.
    void check_overdue(Time began) const;

    // --- what really went out

    void begin_life() { sent_ = recorded_ = 0; }
    void sent(core::ServerId server, SecondReading const& model);
    /// All of a round was published.
    void check_recorded();

  private:
    struct Server {
        core::Sequence request;
        std::uint32_t rounds = 0;
        Time last{};             ///< round
        bool may_be_soon = true; ///< no pause is to be kept before the next one
        bool is_known = true;    ///< how many rounds there were
        std::optional<Time> due; ///< the next one
    };

    void enter_packet(
        Server& server,
        core::WakeSent const& sent,
        core::Event const& event,
        SecondReading const& model,
        Time decided,
        bool live
    );

    std::map<core::ServerId, Server> servers_;
    std::uint64_t sent_ = 0; ///< since the last round that was published
    std::uint64_t recorded_ = 0;
};

} // namespace cpm::sim
