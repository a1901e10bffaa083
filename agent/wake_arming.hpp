#pragma once

#include <string>
#include <vector>

/// Wake-on-LAN of this machine's own network cards, by the ethtool ioctl. Needs CAP_NET_ADMIN.
namespace cpm::agent {

struct WakeArming {
    std::string interface;
    std::string mac;
    enum class State {
        Armed,      ///< a magic packet wakes it
        Off,        ///< it could be armed
        Impossible, ///< the card or its driver cannot be woken by a magic packet
        Unknown,    ///< the kernel did not say, or not to us
    } state{};
    std::string warning; ///< other wake sources, or why it is unknown; may be empty
};

/// The cards with one of these addresses ("52:54:00:12:34:56"; none given: all with hardware).
/// `arm`: those that are Off are armed first, other wake sources left as they are.
std::vector<WakeArming> look_at_waking(std::vector<std::string> const& macs, bool arm);

} // namespace cpm::agent
