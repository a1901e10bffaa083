#include "wol/addresses.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>

namespace cpm::wol {

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
    // inet_pton would stop at an embedded zero byte and accept what stands before it.
    if (text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    Ipv4Address address{};
    if (inet_pton(AF_INET, std::string{text}.c_str(), address.data()) != 1) {
        return std::nullopt;
    }
    return address;
}

std::string to_text(Ipv4Address const& address) {
    return fmt::format("{}.{}.{}.{}", address[0], address[1], address[2], address[3]);
}

} // namespace cpm::wol
