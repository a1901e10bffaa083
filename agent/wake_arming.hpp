#pragma once

#include <functional>
#include <linux/ethtool.h>
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
    bool operator==(WakeArming const&) const = default;
};

/// Asks a card with the ethtool command in the argument; errno, or 0.
using AskCard = std::function<int(ethtool_wolinfo&)>;

/// What `card` says, with `state` and `warning` filled in. `arm`: it is armed first when it is Off;
/// its other wake sources, and a SecureOn password, are left as they are. Armed is what the card
/// says of itself afterwards, not that it took the command.
WakeArming look_at_card(AskCard const& card, WakeArming found, bool arm);

/// The cards with one of these addresses ("52:54:00:12:34:56"; none given: all with hardware).
/// `arm`: those that are Off are armed first, other wake sources left as they are.
std::vector<WakeArming> look_at_waking(std::vector<std::string> const& macs, bool arm);

} // namespace cpm::agent
