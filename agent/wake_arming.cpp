#include "agent/wake_arming.hpp"

#include "wol/interfaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cpm::agent {
namespace {

/// Errno, or 0.
int ask(int socket, std::string const& interface, ethtool_wolinfo& info) {
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&info);
    return ::ioctl(socket, SIOCETHTOOL, &request) == 0 ? 0 : errno;
}

WakeArming look(int socket, std::string const& interface, std::string const& mac, bool arm) {
    using State = WakeArming::State;
    WakeArming found{.interface = interface, .mac = mac, .state = State::Unknown, .warning = {}};
    ethtool_wolinfo info{};
    info.cmd = ETHTOOL_GWOL;
    if (int const error = ask(socket, interface, info); error != 0) {
        if (error == EOPNOTSUPP)
            found.state = State::Impossible;
        else
            found.warning = std::strerror(error);
        return found;
    }
    if ((info.supported & WAKE_MAGIC) == 0) {
        found.state = State::Impossible;
        return found;
    }
    if ((info.wolopts & WAKE_MAGIC) == 0 && arm) {
        auto wanted = info;
        wanted.cmd = ETHTOOL_SWOL;
        wanted.wolopts |= WAKE_MAGIC;
        if (int const error = ask(socket, interface, wanted); error == 0)
            info = wanted;
        else
            found.warning = fmt::format("cannot be armed: {}", std::strerror(error));
    }
    found.state = (info.wolopts & WAKE_MAGIC) != 0 ? State::Armed : State::Off;
    if ((info.wolopts & ~static_cast<unsigned>(WAKE_MAGIC | WAKE_MAGICSECURE)) != 0)
        found.warning = "other packets wake it, too (ethtool shows which): it may not stay off";
    return found;
}

} // namespace

std::vector<WakeArming> look_at_waking(std::vector<std::string> const& macs, bool arm) {
    std::vector<WakeArming> all;
    auto const interfaces = wol::list_interfaces();
    int const socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!interfaces || socket < 0)
        return all;
    for (auto const& interface : *interfaces) {
        if (interface.loopback || !interface.mac)
            continue;
        auto const mac = fmt::format("{:02x}", fmt::join(*interface.mac, ":"));
        if (macs.empty() || std::ranges::find(macs, mac) != macs.end())
            all.push_back(look(socket, interface.name, mac, arm));
    }
    ::close(socket);
    return all;
}

} // namespace cpm::agent
