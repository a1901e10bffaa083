#pragma once

#include "http/head.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::http {

/// One address ("127.0.0.1", "::1") or a network ("10.1.0.0/16"). IPv4 also as IPv6 maps it.
class Network {
  public:
    /// None when the text is no such thing, or a network of every address: that would be nobody in
    /// particular.
    static std::optional<Network> parse(std::string_view text);

    bool contains(boost::asio::ip::address const& address) const;

  private:
    boost::asio::ip::address_v6::bytes_type bytes_{};
    unsigned prefix_ = 0; ///< bits, 1 to 128
};

/// Who stands at the other end of a request: the connection's peer, or whom a proxy speaks for.
struct Client {
    std::string address; ///< as text; IPv4 as such
    bool from_loopback = false;
    bool secure = false; ///< it came over TLS, to us or to the proxy
};

/// The proxies whose word counts (HTTP 3.5, setting `trusted_proxies`).
///
/// From them X-Forwarded-For says who calls (from the right, the first address that is no trusted
/// proxy: all before it is only the caller's own claim) and X-Forwarded-Proto how; a proxy that
/// names the caller and not how is taken to serve `public_url`. From everybody else both are
/// ignored. Host and X-Forwarded-Host stay as they are: names come from the configuration alone.
class TrustedProxies {
  public:
    TrustedProxies() = default;
    /// What is no network is left out: check with Network::parse first.
    TrustedProxies(std::span<std::string const> networks, std::string_view public_url);

    bool contain(boost::asio::ip::address const& address) const;

    /// The client of a request with these fields, which came from `peer`, over TLS or not. Refuses
    /// (400) what a trusted proxy says and nobody can read: taking the proxy for the caller would
    /// give a stranger the rights of this machine.
    Checked<Client> client_of(
        std::vector<std::pair<std::string, std::string>> const& fields,
        boost::asio::ip::address const& peer,
        bool secure
    ) const;

  private:
    std::vector<Network> networks_;
    bool public_is_secure_ = false;
};

/// An address as text; one that IPv6 maps from IPv4 is written as IPv4.
std::string address_text(boost::asio::ip::address address);

} // namespace cpm::http
