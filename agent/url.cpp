#include "agent/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace cpm::agent {
namespace {

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == ':';
}

} // namespace

std::string Url::authority() const {
    auto const is_v6 = host.find(':') != std::string::npos;
    auto const shown = is_v6 ? fmt::format("[{}]", host) : host;
    return port == (secure ? 443 : 80) ? shown : fmt::format("{}:{}", shown, port);
}

std::string Url::text() const {
    return fmt::format("{}://{}", secure ? "https" : "http", authority());
}

bool Url::is_loopback() const {
    in_addr v4{};
    in6_addr v6{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
    return host == "localhost"; // no other name, whatever it begins with
}

tl::expected<Url, std::string> parse_url(std::string_view text) {
    auto const expected = tl::make_unexpected(
        std::string("expected the URL of the manager, like https://manager.example:8443")
    );
    Url url;
    url.secure = text.starts_with("https://");
    if (!url.secure && !text.starts_with("http://"))
        return expected;
    text.remove_prefix(url.secure ? 8 : 7);
    url.port = url.secure ? 443 : 80;
    if (text.ends_with('/'))
        text.remove_suffix(1);

    auto const bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
    auto const colon = bracket == std::string_view::npos ? text.find(':') : text.find(':', bracket);
    auto host = text.substr(0, colon);
    if (bracket != std::string_view::npos) {
        if (bracket + 1 != host.size())
            return expected;
        host = host.substr(1, bracket - 1);
    }
    url.host = host;
    if (url.host.empty() || !std::ranges::all_of(url.host, is_host_character))
        return expected;
    if (colon == std::string_view::npos)
        return url;
    auto const port = text.substr(colon + 1);
    auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc{} || end != port.data() + port.size() || url.port == 0)
        return expected;
    return url;
}

} // namespace cpm::agent
