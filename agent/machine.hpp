#pragma once

#include "agent/hooks.hpp"
#include "agent/values.hpp"

#include <boost/asio/awaitable.hpp>
#include <tl/expected.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cpm::agent {

/// What the agent sees and does of the machine it runs on. Not thread-safe; calls do not block.
class Machine {
  public:
    Machine() = default;
    Machine(Machine const&) = delete;
    Machine& operator=(Machine const&) = delete;
    virtual ~Machine() = default;

    /// The owner's veto, in a line of at most 200 bytes; empty: none. Where there is a doubt there
    /// is one.
    virtual std::string blocked_by() = 0;
    /// The same, of a veto that is against suspend and hibernation alone.
    virtual std::string sleep_blocked_by() = 0;
    /// Whether, and how, the system is on its way down.
    virtual Leaving leaving() = 0;
    /// Whether the system took an accepted act back since the last look.
    virtual bool take_cancelled() = 0;
    /// An agent before this one, in the same boot, was told to act and may not have come to it, or
    /// missed that it was taken back: take_cancelled() tells it as soon as that is known.
    virtual void acted_before() = 0;
    /// The manager was told that the machine leaves: nothing has to wait for that any more.
    virtual void goodbye_said() = 0;
    /// The agent is asked to stop: from now on leaving() tells whether the system goes down.
    virtual void being_stopped() = 0;
    /// Runs the hooks.
    virtual boost::asio::awaitable<HooksEnd> prepare() = 0;
    /// The machine has resumed: an act that was asked for before it, and not answered yet, is not
    /// to be done any more.
    virtual void withdraw_act() = 0;
    /// Nothing: it goes down, or has come back from it; else why it does not.
    virtual boost::asio::awaitable<tl::expected<void, std::string>> go_down(OffMethod method) = 0;
};

struct MachineConfig {
    std::filesystem::path hold_file = "/etc/cpm/hold";
    std::filesystem::path hooks_directory = "/etc/cpm/pre-off.d";
    std::chrono::seconds hook_time_limit{60};
    std::vector<std::string> power_command{}; ///< its first word is a path; empty: logind
    /// A machine that is still there so long after an agent was started that found it had acted
    /// does not go down any more. For the power command: logind knows.
    std::chrono::seconds act_limit{180};
};

/// "hold: " and the first line of the file; empty: there is none.
std::string read_hold(std::filesystem::path const& file);

/// A machine that a command of its owner switches off. Root runs the agent there, so hooks are run
/// directly. The command learns the method from CPM_OFF_METHOD (poweroff, suspend, hibernate).
class CommandMachine final : public Machine {
  public:
    explicit CommandMachine(MachineConfig config)
        : config_(std::move(config)) {}

    std::string blocked_by() override { return read_hold(config_.hold_file); }
    std::string sleep_blocked_by() override { return {}; }
    Leaving leaving() override { return Leaving::No; }
    bool take_cancelled() override;
    void acted_before() override;
    void withdraw_act() override {} // the command runs already
    void goodbye_said() override {}
    void being_stopped() override {}
    boost::asio::awaitable<HooksEnd> prepare() override;
    boost::asio::awaitable<tl::expected<void, std::string>> go_down(OffMethod method) override;

  private:
    MachineConfig config_;
    std::optional<microseconds> given_up_; ///< by CLOCK_BOOTTIME
};

} // namespace cpm::agent
