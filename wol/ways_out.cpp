#include "wol/ways_out.hpp"

#include "wol/interfaces.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace cpm::wol {
namespace {

tl::unexpected<std::string> refused(std::string text) {
    return tl::make_unexpected(std::move(text));
}

bool has_broadcast(Interface const& interface, Ipv4Address const& address) {
    return std::ranges::find(interface.ipv4, address, &InterfaceAddress::broadcast) !=
           interface.ipv4.end();
}

/// Sending out of an interface without a link succeeds, and the packet is gone: so it is refused
/// here.
WaysOut by(Interface const& interface) {
    auto const& name = interface.name;
    if (!interface.up) {
        return refused(
            fmt::format("interface {} is down; bring it up (ip link set {} up)", name, name)
        );
    }
    if (!interface.running) {
        return refused(
            fmt::format("interface {} has no link; check its cable and switch port", name)
        );
    }
    return std::vector{WayOut{interface.index, name, interface.mac.has_value()}};
}

WaysOut by_named(WakeTarget const& target, std::vector<Interface> const& interfaces) {
    auto const& name = *target.interface;
    auto const named = std::ranges::find(interfaces, name, &Interface::name);
    if (named == interfaces.end()) {
        std::vector<std::string_view> names;
        std::ranges::transform(interfaces, std::back_inserter(names), &Interface::name);
        return refused(fmt::format(
            "wake.interface: this machine has no interface {}; it has {}",
            name,
            fmt::join(names, ", ")
        ));
    }
    auto const& address = target.broadcast_address;
    auto const owner = std::ranges::find_if(interfaces, [&](Interface const& candidate) {
        return has_broadcast(candidate, address);
    });
    if (owner != interfaces.end() && !has_broadcast(*named, address)) {
        // The kernel would ask for that address by ARP on the wrong segment, and report success.
        return refused(fmt::format(
            "wake.broadcast_address: {} is the broadcast of {}, not of {}; correct it or "
            "wake.interface",
            to_text(address),
            owner->name,
            name
        ));
    }
    return by(*named);
}

WaysOut by_every_interface(std::vector<Interface> const& interfaces) {
    std::vector<WayOut> ways;
    for (auto const& interface : interfaces) {
        if (interface.up && interface.running && interface.can_broadcast &&
            !interface.ipv4.empty()) {
            ways.push_back({interface.index, interface.name, interface.mac.has_value()});
        }
    }
    if (ways.empty()) {
        return refused(
            "no interface of this machine is up with a link, an IPv4 address and broadcast; "
            "connect one, or set wake.interface or wake.broadcast_address"
        );
    }
    return ways;
}

WaysOut choose(WakeTarget const& target, std::vector<Interface> const& interfaces) {
    if (target.interface) {
        return by_named(target, interfaces);
    }
    if (target.broadcast_address == kLimitedBroadcast) {
        return by_every_interface(interfaces);
    }
    for (auto const& interface : interfaces) {
        if (has_broadcast(interface, target.broadcast_address)) {
            return by(interface);
        }
    }
    return std::vector{WayOut{}};
}

} // namespace

WaysOut ways_out(WakeTarget const& target) {
    return list_interfaces().and_then([&](std::vector<Interface> const& interfaces) {
        return choose(target, interfaces);
    });
}

} // namespace cpm::wol
