#pragma once

#include "agent/conduct.hpp"
#include "agent/identity.hpp"
#include "agent/relay.hpp"
#include "tests/sim/calls.hpp"
#include "tests/sim/schedule.hpp"
#include "wol/wake_sender.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace cpm::sim {

class Machine;

/// What an agent writes to /run (agent/store.hpp).
struct Marker {
    agent::Memory memory;
    agent::microseconds suspended{};
};

/// One life of an agent's process: agent::Conduct, and what agent::Loop does around it, said again
/// in virtual time. It is asked when something changed or is due.
class AgentProcess {
  public:
    explicit AgentProcess(Machine& machine);
    ~AgentProcess();

    void begin() { go_on(); }
    /// What the machine looks like may have changed: looked at with the next tick.
    void look_soon();
    /// Its system took an act back.
    void act_was_cancelled();
    /// The process is to end, as its machine goes down. Whether it can say so at once.
    bool stop();
    /// What it has written down so far (its marker).
    Marker marker() const;

  private:
    struct Sender final : wol::WakeSender {
        explicit Sender(Machine& of)
            : machine(of) {}
        wol::WakeResult send(wol::WakeTarget const& target) override;
        bool is_local(wol::Ipv4Address const& /*address*/) override { return true; }
        Machine& machine;
    };

    agent::Observation observe();
    void go_on();
    void call(Request&& request, Time limit, bool held);
    void take(std::uint64_t call, std::shared_ptr<Reply const> const& reply);
    void fail(std::uint64_t call, std::string why);
    void end_call(agent::Outcome const& outcome);
    void watch_call();
    void cut_call();
    void tick();
    void wake();
    void run_hooks();
    void meet_trouble();
    void act(agent::OffMethod method);
    void keep_head();
    /// In this life, when the machine's processes run.
    void later(Time delay, std::function<void()> what);

    Machine& machine_;
    std::shared_ptr<bool> lives_ = std::make_shared<bool>(true);
    Sender sender_;
    std::function<void(std::string_view)> report_;
    agent::Relay relay_;
    agent::ResumeCounter resumes_;
    agent::Conduct conduct_;
    agent::Observation asked_with_;
    std::uint64_t calls_ = 0; ///< the number of the last one
    bool calling_ = false;
    bool holding_ = false;
    bool cut_ = false;
    bool stopping_ = false;
    bool looking_ = false;  ///< a tick is planned
    bool watching_ = false; ///< the end of a call's limit is planned
    Time call_ends_{};
    std::uint64_t rests_ = 0;
    std::uint64_t epoch_ = 0; ///< of the last head that came
    Time head_kept_ = -std::chrono::hours(1);
};

} // namespace cpm::sim
