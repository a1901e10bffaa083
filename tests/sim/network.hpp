#pragma once

#include "tests/sim/calls.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/schedule.hpp"

#include <array>
#include <vector>

namespace cpm::sim {

class Machine;
class World;

/// The way between agents and the manager. A call is a question and an answer; each may be lost,
/// come late, twice, or after a later one. What TCP makes of a lost packet is a delay, or the end
/// of the connection: the agent's call then runs into its limit.
class Network {
  public:
    explicit Network(World& world)
        : world_(world) {}

    void send(Machine& from, Request&& request, ReplyTo reply);

    /// Nothing gets through in one direction until then.
    void cut(Machine const& of, bool questions, Time until);
    void heal();
    /// What is on its way has come by then.
    Time quiet_from() const { return quiet_from_; }

  private:
    /// Of one machine.
    struct Line {
        Time no_questions{}; ///< until then
        Time no_answers{};
        std::uint64_t arrived = 0; ///< the highest number of a question that did
        std::array<std::shared_ptr<Request const>, 4> reports; ///< earlier ones, for replays
        std::array<std::shared_ptr<Reply const>, 4> replies;
        std::uint64_t kept = 0;
        std::shared_ptr<Reply const> order; ///< the last one that gave an order
        Time forged_until{};                ///< somebody makes such orders up
    };

    Line& line(Machine const& of);
    Time latency();
    Time lag();
    /// It comes after so long.
    Time underway(Time delay);
    void
    question(Machine& from, std::shared_ptr<Request const> const& request, ReplyTo const& reply);
    void arrive(Machine& from, std::shared_ptr<Request const> const& request, ReplyTo const& reply);
    void answer(
        Machine& to, Request const& asked, std::shared_ptr<Reply const> reply, ReplyTo const& tell
    );
    std::shared_ptr<Reply const>
    forge(Machine& to, Request const& asked, std::shared_ptr<Reply const> const& genuine);
    void replay(Machine& from);

    World& world_;
    std::vector<Line> lines_;
    std::uint64_t requests_ = 0;
    Time quiet_from_{};
};

} // namespace cpm::sim
