#include "wol/lan_sender.hpp"

#include "wol/ethernet_frames.hpp"
#include "wol/interfaces.hpp"
#include "wol/udp_broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::wol {
namespace {

bool contains(InterfaceAddress const& own, Ipv4Address const& address) {
    for (std::size_t byte = 0; byte < address.size(); ++byte) {
        if (((own.address[byte] ^ address[byte]) & own.mask[byte]) != 0) {
            return false;
        }
    }
    return true;
}

} // namespace

WakeResult LanSender::send(WakeTarget const& target) {
    auto udp = send_udp(target);
    auto const frames = send_frames(target);
    if (!frames) {
        return udp;
    }
    if (udp) {
        return *frames ? fmt::format("{}; {}", *udp, **frames)
                       : fmt::format("{}; failed {}", *udp, frames->error());
    }
    if (*frames) {
        return fmt::format("{}; failed UDP: {}", **frames, udp.error());
    }
    return WakeResult{tl::unexpect, fmt::format("{}; {}", udp.error(), frames->error())};
}

bool LanSender::is_local(Ipv4Address const& address) {
    auto const interfaces = list_interfaces();
    if (!interfaces) {
        return true; // nothing is known: its own packets come first
    }
    return std::ranges::any_of(*interfaces, [&](Interface const& interface) {
        auto const reaches = [&](InterfaceAddress const& own) { return contains(own, address); };
        return interface.up && std::ranges::any_of(interface.ipv4, reaches);
    });
}

} // namespace cpm::wol
