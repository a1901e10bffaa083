#include "http/join_line.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>

namespace cpm::http {
namespace {

std::optional<std::string> text_of_ipv4(sockaddr const* address) {
    auto const& ipv4 = reinterpret_cast<sockaddr_in const*>(address)->sin_addr;
    if ((ntohl(ipv4.s_addr) & 0xffff0000U) == 0xa9fe0000U) // 169.254.0.0/16: link-local
        return std::nullopt;
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &ipv4, text.data(), text.size());
    return text.data();
}

std::optional<std::string> text_of_ipv6(sockaddr const* address) {
    auto const& ipv6 = reinterpret_cast<sockaddr_in6 const*>(address)->sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&ipv6))
        return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, &ipv6, text.data(), text.size());
    return fmt::format("[{}]", text.data());
}

/// ":8080" of "127.0.0.1:8080" and "[::1]:8080"; empty without a port.
std::string_view port_of(std::string_view host) {
    auto const bracket = host.find(']');
    auto const colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    return colon == std::string_view::npos ? std::string_view{} : host.substr(colon);
}

} // namespace

std::optional<std::string> first_lan_address() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return std::nullopt;
    std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> const owner(list, &freeifaddrs);
    std::optional<std::string> ipv6;
    for (auto const* item = list; item; item = item->ifa_next) {
        if (!item->ifa_addr || !(item->ifa_flags & IFF_UP) || (item->ifa_flags & IFF_LOOPBACK))
            continue;
        if (item->ifa_addr->sa_family == AF_INET) {
            if (auto ipv4 = text_of_ipv4(item->ifa_addr))
                return ipv4;
        } else if (item->ifa_addr->sa_family == AF_INET6 && !ipv6)
            ipv6 = text_of_ipv6(item->ifa_addr);
    }
    return ipv6;
}

std::string manager_url(
    std::string_view public_url,
    std::optional<std::string> const& lan_address,
    Request const& request
) {
    while (public_url.ends_with('/'))
        public_url.remove_suffix(1);
    if (!public_url.empty())
        return std::string(public_url);
    auto const host = request.header("host").value_or("localhost");
    auto const scheme = request.secure ? "https" : "http";
    if (lan_address)
        return fmt::format("{}://{}{}", scheme, *lan_address, port_of(host));
    return fmt::format("{}://{}", scheme, host);
}

std::string join_line(std::string_view manager_url, std::string_view join_token) {
    return fmt::format("cpm-agent join {} --token {}", manager_url, join_token);
}

} // namespace cpm::http
