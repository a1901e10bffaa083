#pragma once

#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

/// What the manager knows of the ways to it.
struct OwnAddresses {
    std::string_view public_url{}; ///< empty: not configured
    std::string_view https{};      ///< "ADDRESS:PORT" of the TLS listener; empty: off
    std::string_view ca_pin{};     ///< of that listener's authority; empty: a given certificate
    std::optional<std::string> lan_address{}; ///< first_lan_address()
};

/// Where an agent is to call, and whom it is to trust there.
struct JoinAddress {
    std::string url;
    std::string ca_pin; ///< empty: nothing to pin (plain HTTP, or a certificate of the public kind)
};

/// Where agents are to call (HTTP 3.5): `public_url` if there is one; else the TLS listener; else
/// the port this request came to. An address that is open to all, or loopback, is told as the LAN
/// address if there is one. The pin goes with the TLS listener alone: a public URL of another port
/// is a proxy with a certificate of its own.
JoinAddress join_address(OwnAddresses const& own, Request const& request);

/// What is pasted on a machine to make it this server's.
std::string join_line(JoinAddress const& address, std::string_view join_token);

} // namespace cpm::http
