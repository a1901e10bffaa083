#include "agent/wake_arming.hpp"

#include "wol/interfaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <net/if.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cpm::agent {
namespace {

using State = WakeArming::State;

/// Errno, or 0.
int ask(int socket, std::string const& interface, ethtool_wolinfo& info) {
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&info);
    return ::ioctl(socket, SIOCETHTOOL, &request) == 0 ? 0 : errno;
}

struct Source {
    unsigned bit;
    std::string_view name;
};

/// What may wake a machine that was switched off, without anybody having asked for it.
constexpr std::array kOtherSources{
    Source{WAKE_PHY, "a change of its link"},
    Source{WAKE_UCAST, "any packet for it (a ping)"},
    Source{WAKE_MCAST, "multicasts"},
    Source{WAKE_BCAST, "broadcasts"},
    Source{WAKE_ARP, "ARP"},
    Source{WAKE_FILTER, "packets of a filter"},
};

std::string warn_of_others(unsigned options) {
    std::vector<std::string_view> names;
    for (auto const& source : kOtherSources)
        if ((options & source.bit) != 0)
            names.push_back(source.name);
    if (names.empty())
        return {};
    return fmt::format("is woken by {}, too: it may not stay off", fmt::join(names, ", "));
}

int read_card(AskCard const& card, ethtool_wolinfo& info) {
    info = {};
    info.cmd = ETHTOOL_GWOL;
    return card(info);
}

} // namespace

WakeArming look_at_card(AskCard const& card, WakeArming found, bool arm) {
    ethtool_wolinfo info{};
    if (int const error = read_card(card, info); error != 0) {
        found.state = error == EOPNOTSUPP ? State::Impossible : State::Unknown;
        found.warning = error == EOPNOTSUPP ? "" : std::strerror(error);
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
        int const refused = card(wanted);
        int const unread = read_card(card, info);
        if (int const error = refused != 0 ? refused : unread; error != 0)
            found.warning = fmt::format("cannot be armed: {}", std::strerror(error));
        else if ((info.wolopts & WAKE_MAGIC) == 0)
            found.warning = "cannot be armed: its driver does not keep it";
    }
    found.state = (info.wolopts & WAKE_MAGIC) != 0 ? State::Armed : State::Off;
    if (found.warning.empty())
        found.warning = warn_of_others(info.wolopts);
    return found;
}

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
            all.push_back(look_at_card(
                [&](ethtool_wolinfo& info) { return ask(socket, interface.name, info); },
                {.interface = interface.name, .mac = mac, .state = State::Unknown, .warning = {}},
                arm
            ));
    }
    ::close(socket);
    return all;
}

} // namespace cpm::agent
