#include "http/own_names.hpp"

#include "http/head_check.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

namespace cpm::http {
namespace {

struct Address {
    std::string text;
    bool is_v6 = false;
    bool is_loopback = false;
};

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
    return text.data();
}

/// In the kernel's order. When it does not say, none.
std::vector<Address> list_addresses() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return {};
    std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> const owner(list, &freeifaddrs);
    std::vector<Address> addresses;
    for (auto const* item = list; item; item = item->ifa_next) {
        if (!item->ifa_addr || !(item->ifa_flags & IFF_UP))
            continue;
        bool const is_v6 = item->ifa_addr->sa_family == AF_INET6;
        if (!is_v6 && item->ifa_addr->sa_family != AF_INET)
            continue;
        bool const is_loopback = (item->ifa_flags & IFF_LOOPBACK) != 0;
        if (auto text = is_v6 ? text_of_ipv6(item->ifa_addr) : text_of_ipv4(item->ifa_addr))
            addresses.push_back({std::move(*text), is_v6, is_loopback});
    }
    return addresses;
}

} // namespace

std::vector<std::string> own_addresses() {
    std::vector<std::string> texts;
    for (auto& address : list_addresses())
        texts.push_back(std::move(address.text));
    return texts;
}

std::optional<std::string> first_lan_address() {
    std::optional<std::string> ipv6;
    for (auto const& address : list_addresses()) {
        if (address.is_loopback)
            continue;
        if (!address.is_v6)
            return address.text;
        if (!ipv6)
            ipv6 = fmt::format("[{}]", address.text);
    }
    return ipv6;
}

std::vector<std::string>
configured_names(std::span<std::string const> host_names, std::string_view public_url) {
    std::vector<std::string> names(host_names.begin(), host_names.end());
    if (auto const scheme = public_url.find("://"); scheme != public_url.npos) {
        auto const rest = public_url.substr(scheme + 3);
        names.push_back(host_of(rest.substr(0, rest.find('/'))));
    }
    return names;
}

std::vector<std::string>
certificate_names(std::span<std::string const> host_names, std::string_view public_url) {
    std::vector<std::string> names;
    auto candidates = configured_names(host_names, public_url);
    std::array<char, 256> own{};
    if (::gethostname(own.data(), own.size() - 1) == 0)
        candidates.emplace_back(own.data());
    for (auto const& candidate : candidates) {
        bool const is_ipv6 = candidate.find(':') != std::string::npos;
        if (auto name = host_of(is_ipv6 ? '[' + candidate + ']' : candidate); !name.empty())
            names.push_back(std::move(name));
    }
    for (auto& address : own_addresses())
        names.push_back(std::move(address));
    return names;
}

} // namespace cpm::http
