#pragma once

#include "wol/wake_sender.hpp"

#include <optional>

namespace cpm::wol {

/// Sends the magic packet as Ethernet frames of their own type (0x0842), to every card of the
/// segment: they pass where UDP or IPv4 does not, and cross no router. Nothing when no interface on
/// the packet's way is Ethernet, or this process may not send frames: that takes CAP_NET_RAW and,
/// in a systemd unit, AF_PACKET among its RestrictAddressFamilies. Does not wait for the network.
[[nodiscard]] std::optional<WakeResult> send_frames(WakeTarget const& target);

} // namespace cpm::wol
