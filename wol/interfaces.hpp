#pragma once

#include "wol/addresses.hpp"

#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <vector>

/// The network interfaces of this machine as the kernel lists them now. Nothing is cached: they
/// come and go.
namespace cpm::wol {

struct InterfaceAddress {
    Ipv4Address address{};
    /// The directed broadcast of its network; none on a point-to-point link or a network of one or
    /// two addresses.
    std::optional<Ipv4Address> broadcast;
    Ipv4Address mask{255, 255, 255, 255};
};

struct Interface {
    std::string name;
    /// The kernel's number for it, from 1.
    int index = 0;
    /// Ethernet and what looks like it (Wi-Fi, bridges, bonds): the address in use now, which for a
    /// member of a bond is the bond's. None for the loopback, tunnels and InfiniBand.
    std::optional<MacAddress> mac;
    std::vector<InterfaceAddress> ipv4;
    /// An administrator wants it up.
    bool up = false;
    /// It has a link, too: what is sent on an interface that is up without one is lost in silence.
    bool running = false;
    bool loopback = false;
    bool can_broadcast = false;
};

/// All interfaces, down ones included, in the kernel's order; addresses of a label ("eth0:1")
/// belong to its interface. The error says why the kernel did not answer and what to do.
[[nodiscard]] tl::expected<std::vector<Interface>, std::string> list_interfaces();

} // namespace cpm::wol
