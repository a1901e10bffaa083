#pragma once

#include "wol/wake_sender.hpp"

namespace cpm::wol {

/// Sends magic packets by UDP broadcast over IPv4.
///
/// Operation: each call lists the interfaces, opens a socket, sends and closes it: wakes are rare,
/// and interfaces come and go. The interface is chosen for each packet by IP_PKTINFO, which needs
/// no privilege. The limited broadcast leaves by every interface that is up, has a link and an IPv4
/// address: the one of the default route is often not the one with the sleeping machines. A
/// directed broadcast leaves by the interface it belongs to, else as the routing table says.
/// Concurrency: no state, so any thread may call it, several at once too. Does not block.
/// Limitations: a directed broadcast of a foreign network, with an interface named that has no
/// route to it, counts as sent, although the kernel only asks for it by ARP in vain.
[[nodiscard]] WakeResult send_udp(WakeTarget const& target);

} // namespace cpm::wol
