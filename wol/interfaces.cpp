#include "wol/interfaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string_view>
#include <system_error>

namespace cpm::wol {
namespace {

struct FreeAddressList {
    void operator()(ifaddrs* list) const { freeifaddrs(list); }
};

Interface& find_or_add(std::vector<Interface>& interfaces, ifaddrs const& entry) {
    // getifaddrs names an IPv4 address by its label; a colon cannot be part of an interface's own
    // name.
    std::string_view const label{entry.ifa_name};
    auto const name = label.substr(0, label.find(':'));
    auto const found = std::ranges::find(interfaces, name, &Interface::name);
    if (found != interfaces.end()) {
        return *found;
    }
    auto& added = interfaces.emplace_back();
    added.name = name;
    added.up = (entry.ifa_flags & IFF_UP) != 0;
    added.running = (entry.ifa_flags & IFF_RUNNING) != 0;
    added.loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0;
    added.can_broadcast = (entry.ifa_flags & IFF_BROADCAST) != 0;
    return added;
}

void take_hardware(Interface& interface, sockaddr const* address) {
    auto const& link = *reinterpret_cast<sockaddr_ll const*>(address);
    interface.index = link.sll_ifindex;
    MacAddress mac{};
    if (link.sll_hatype == ARPHRD_ETHER && link.sll_halen == mac.size()) {
        std::copy_n(link.sll_addr, mac.size(), mac.begin());
        interface.mac = mac;
    }
}

Ipv4Address ipv4_of(sockaddr const* address) {
    return std::bit_cast<Ipv4Address>(reinterpret_cast<sockaddr_in const*>(address)->sin_addr.s_addr
    );
}

/// From the mask, not from the list: `ip address add` without `brd` leaves the list's entry empty,
/// while the kernel treats the last address of the network as its broadcast all the same. RFC 3021:
/// /31 and /32 have none.
std::optional<Ipv4Address> broadcast_of(Ipv4Address const& address, Ipv4Address const& mask) {
    if (mask[3] >= 0xFE) {
        return std::nullopt;
    }
    Ipv4Address broadcast{};
    for (std::size_t byte = 0; byte < broadcast.size(); ++byte) {
        broadcast[byte] = static_cast<std::uint8_t>(address[byte] | ~mask[byte]);
    }
    return broadcast;
}

void take_ipv4(Interface& interface, ifaddrs const& entry) {
    InterfaceAddress added{.address = ipv4_of(entry.ifa_addr), .broadcast = std::nullopt};
    if (entry.ifa_netmask != nullptr) {
        added.mask = ipv4_of(entry.ifa_netmask);
    }
    if (interface.can_broadcast || interface.loopback) {
        added.broadcast = broadcast_of(added.address, added.mask);
    }
    interface.ipv4.push_back(added);
}

} // namespace

tl::expected<std::vector<Interface>, std::string> list_interfaces() {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) {
        return tl::make_unexpected(fmt::format(
            "the network interfaces cannot be listed: {}; in a systemd unit, "
            "RestrictAddressFamilies "
            "must include AF_NETLINK",
            std::system_category().message(errno)
        ));
    }
    std::unique_ptr<ifaddrs, FreeAddressList> const list{first};

    std::vector<Interface> interfaces;
    for (auto const* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) {
            continue; // an interface with neither a hardware nor an IP address: a tunnel not yet
                      // set up
        }
        auto& interface = find_or_add(interfaces, *entry);
        if (entry->ifa_addr->sa_family == AF_PACKET) {
            take_hardware(interface, entry->ifa_addr);
        } else if (entry->ifa_addr->sa_family == AF_INET) {
            take_ipv4(interface, *entry);
        }
    }
    return interfaces;
}

} // namespace cpm::wol
