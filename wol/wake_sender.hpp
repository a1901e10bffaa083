#pragma once

#include "wol/addresses.hpp"
#include "wol/magic_packet.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cpm::wol {

/// Whom to wake, and by which way: one MAC address and the wake settings of its server.
struct WakeTarget {
    MacAddress mac{};
    /// The limited broadcast stays on the segments this machine is on. A directed one
    /// (192.168.7.255) follows the routing table, and crosses a router only if that router forwards
    /// directed broadcasts.
    Ipv4Address broadcast_address = kLimitedBroadcast;
    /// UDP ports, 1 to 65535, at least one. Cards look at the payload only; 9 (discard) and 7
    /// (echo) are customary.
    std::vector<std::uint16_t> ports{9};
    /// The only interface of this machine to send out of. None: a directed broadcast follows the
    /// routing table, and the limited one leaves by every interface that can carry it.
    std::optional<std::string> interface;
    std::optional<SecureOn> secure_on;
};

/// What became of one send: a description of the way the packets took ("UDP 255.255.255.255 port 9
/// by eth0, port 9 by eth1", with those that failed), or, if no packet left this machine, why, and
/// what to do next. Both are English for people and the log; neither contains the password. Success
/// means handed to the network: a magic packet is never acknowledged.
using WakeResult = tl::expected<std::string, std::string>;

/// Sends magic packets. One call sends one packet to each port by each way; repeating is the
/// caller's decision.
class WakeSender {
  public:
    WakeSender() = default;
    WakeSender(WakeSender const&) = delete;
    WakeSender& operator=(WakeSender const&) = delete;
    virtual ~WakeSender() = default;

    /// Does not wait for the network.
    [[nodiscard]] virtual WakeResult send(WakeTarget const& target) = 0;

    /// Whether an interface of this machine is in the network of this address, so that its packets
    /// reach the segment without a router. Where the kernel does not say: true.
    [[nodiscard]] virtual bool is_local(Ipv4Address const& address) = 0;
};

} // namespace cpm::wol
