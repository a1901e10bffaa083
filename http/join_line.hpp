#pragma once

#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

/// The address under which other machines reach this one: the first IPv4 address of an interface
/// that is up, else the first IPv6 one (in brackets, as in a URL); no loopback or link-local one.
std::optional<std::string> first_lan_address();

/// Where agents are to call (HTTP 3.5): `public_url` if there is one; else the LAN address with the
/// port this request came to; lacking one, the Host of this request.
std::string manager_url(
    std::string_view public_url,
    std::optional<std::string> const& lan_address,
    Request const& request
);

/// What is pasted on a machine to make it this server's.
std::string join_line(std::string_view manager_url, std::string_view join_token);

} // namespace cpm::http
