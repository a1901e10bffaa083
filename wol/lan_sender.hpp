#pragma once

#include "wol/wake_sender.hpp"

namespace cpm::wol {

/// Sends magic packets by every way this process has: UDP broadcast, and beside it, where the way
/// is Ethernet and the process may, frames of type 0x0842.
///
/// Operation: one way that works makes a success; its text names the others that failed.
/// Concurrency: no state, so any thread may call it, several at once too.
class LanSender final : public WakeSender {
  public:
    [[nodiscard]] WakeResult send(WakeTarget const& target) override;
    [[nodiscard]] bool is_local(Ipv4Address const& address) override;
};

} // namespace cpm::wol
