#pragma once

#include "agent/machine.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <systemd/sd-bus.h>

namespace cpm::agent {

class LogindBus;

/// A machine with systemd: vetoes are logind's inhibitors and the hold file, logind switches it
/// off, and hooks are run by a unit of root's own, for the agent is not root.
///
/// Operation: one connection to the system bus; what logind says is remembered as it says it, and
/// its inhibitors are asked for every few seconds. Without the bus there is a veto that says so,
/// until it is back. Concurrency: the thread of the io_context. Limitations: an inhibitor taken
/// since the last look (5 s) is not reported before the act, but logind respects it even then.
class LogindMachine final : public Machine {
  public:
    LogindMachine(boost::asio::io_context& io, MachineConfig config);
    ~LogindMachine() override;

    std::string blocked_by() override;
    std::string sleep_blocked_by() override;
    Leaving leaving() override;
    bool take_cancelled() override;
    void acted_before() override;
    void withdraw_act() override;
    void goodbye_said() override;
    void being_stopped() override;
    boost::asio::awaitable<HooksEnd> prepare() override;
    boost::asio::awaitable<tl::expected<void, std::string>> go_down(OffMethod method) override;

  private:
    struct Reply;
    static int on_reply(sd_bus_message* message, void* data, sd_bus_error*);

    MachineConfig config_;
    std::shared_ptr<LogindBus> bus_;
    Reply* awaited_ = nullptr; ///< of the act that was asked for
};

/// Where the hooks' unit says which required hook failed.
inline constexpr auto kFailedHookFile = "/run/cpm-agent-hooks/failed";

} // namespace cpm::agent
