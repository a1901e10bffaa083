#pragma once

#include "core/decide.hpp"
#include "core/fleet.hpp"
#include "core/time.hpp"
#include "core/wake_pause.hpp"
#include "manager/accounts.hpp"
#include "wol/wake_sender.hpp"

namespace cpm::manager {

using core::wake_pause;

/// ON was asked for, and the server has not been ON since.
bool awaits_start(core::Server const& server);

/// Whether a magic packet is still called for: the server awaits its start, or ON was asked for and
/// no packet was sent yet.
bool wants_wake(core::Server const& server);

/// Sends magic packets, one server at a time with the stagger between two (status model 1.6).
class Waker {
  public:
    explicit Waker(wol::WakeSender& sender);

    /// The next turn among many: now, or when the stagger after the turn given before has passed.
    core::MonoTime take_turn(core::MonoTime now, core::milliseconds stagger);

    /// One packet to each MAC of the server; a WakeSent for each, whatever became of it.
    core::Payloads wake(core::Server const& server, WakePassword const* password);

    wol::WakeSender& sender() { return sender_; }

  private:
    wol::WakeSender& sender_;
    core::MonoTime free_at_{};
};

} // namespace cpm::manager
