#pragma once

#include "agent/wire.hpp"
#include "wol/wake_sender.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::agent {

/// Sends magic packets for other servers on this machine's segment (wake-on-lan, "Relays"): to the
/// limited broadcast, for the MAC the manager named, and nothing else.
///
/// Operation: each wake is sent once; it is reported until the manager has acknowledged that.
/// Concurrency: none; does not block.
class Relay {
  public:
    /// `report`: a line for the journal. Both must outlive it.
    Relay(wol::WakeSender& sender, std::function<void(std::string_view)> const& report)
        : sender_(sender)
        , report_(report) {}

    /// Sends what was asked for and not sent yet; true: there is something new to report.
    bool take(std::vector<WakeAsk> const& asks);
    /// What it has sent and the manager does not know yet: for the next report.
    std::vector<std::string> const& woke() {
        said_ = woke_.size();
        return woke_;
    }
    /// The manager has taken that report.
    void acknowledged();

  private:
    wol::WakeSender& sender_;
    std::function<void(std::string_view)> const& report_;
    std::vector<std::string> woke_; ///< oldest first
    std::size_t said_ = 0;          ///< how many of them are in the last report
};

} // namespace cpm::agent
