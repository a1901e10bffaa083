#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::http {

/// All addresses of this machine's interfaces that are up, loopback too, as text; no link-local
/// ones.
std::vector<std::string> own_addresses();

/// The address under which other machines reach this one: the first IPv4 address of an interface
/// that is up, else the first IPv6 one (in brackets, as in a URL); no loopback or link-local one.
std::optional<std::string> first_lan_address();

/// The names this manager was configured with: these host names, and the public URL's.
std::vector<std::string>
configured_names(std::span<std::string const> host_names, std::string_view public_url);

/// What a certificate of this manager is for: the configured names, this machine's name and its
/// addresses. What is no name that a certificate could hold is left out.
std::vector<std::string>
certificate_names(std::span<std::string const> host_names, std::string_view public_url);

} // namespace cpm::http
