#include "http/join_line.hpp"

#include <fmt/format.h>

namespace cpm::http {
namespace {

struct HostAndPort {
    std::string_view host; ///< an IPv6 address in its brackets
    std::string_view port; ///< ":8080"; empty: none
};

HostAndPort split(std::string_view authority) {
    auto const bracket = authority.find(']');
    auto const colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
    if (colon == authority.npos)
        return {authority, {}};
    return {authority.substr(0, colon), authority.substr(colon)};
}

bool is_unspecified(std::string_view host) {
    return host == "0.0.0.0" || host == "[::]";
}

bool is_loopback(std::string_view host) {
    return host.starts_with("127.") || host == "[::1]" || host == "localhost";
}

/// Whether an https URL leads to the TLS listener's port.
bool is_listeners(std::string_view url, std::string_view https) {
    constexpr std::string_view kScheme = "https://";
    if (https.empty() || !url.starts_with(kScheme))
        return false;
    url.remove_prefix(kScheme.size());
    auto const port = split(url.substr(0, url.find('/'))).port;
    return (port.empty() ? ":443" : port) == split(https).port;
}

} // namespace

JoinAddress join_address(OwnAddresses const& own, Request const& request) {
    auto url = own.public_url;
    while (url.ends_with('/'))
        url.remove_suffix(1);
    if (!url.empty())
        return {std::string(url), std::string(is_listeners(url, own.https) ? own.ca_pin : "")};
    if (!own.https.empty()) {
        auto const [host, port] = split(own.https);
        bool const elsewhere = !is_unspecified(host) && !is_loopback(host);
        std::string_view const fallback = is_unspecified(host) ? "localhost" : host;
        auto const reached =
            elsewhere ? std::string(host) : own.lan_address.value_or(std::string(fallback));
        return {fmt::format("https://{}{}", reached, port), std::string(own.ca_pin)};
    }
    auto const host = request.header("host").value_or("localhost");
    if (own.lan_address)
        return {fmt::format("http://{}{}", *own.lan_address, split(host).port), {}};
    return {fmt::format("http://{}", host), {}};
}

std::string join_line(JoinAddress const& address, std::string_view join_token) {
    auto line = fmt::format("cpm-agent join {} --token {}", address.url, join_token);
    if (!address.ca_pin.empty())
        line += fmt::format(" --ca-pin {}", address.ca_pin);
    return line;
}

} // namespace cpm::http
