#include "http/forwarded.hpp"

#include <algorithm>
#include <charconv>

namespace cpm::http {
namespace {

namespace ip = boost::asio::ip;

constexpr unsigned kMappedBits = 96; ///< before an IPv4 address in IPv6 (RFC 4291 2.5.5.2)

ip::address_v6 as_v6(ip::address const& address) {
    return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6();
}

std::optional<ip::address> read_address(std::string_view text) {
    boost::system::error_code error;
    auto const address = ip::make_address(std::string(text), error);
    return error ? std::nullopt : std::optional(address);
}

std::string_view trim(std::string_view text) {
    auto const first = text.find_first_not_of(" \t");
    if (first == text.npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<ip::address> read_forwarded(std::string_view text) {
    text = trim(text);
    if (text.starts_with('[')) {
        auto const end = text.find(']');
        return end == text.npos ? std::nullopt : read_address(text.substr(1, end - 1));
    }
    if (std::ranges::count(text, ':') == 1)
        text = text.substr(0, text.find(':'));
    return read_address(text);
}

tl::unexpected<Refusal> refuse(std::string detail) {
    return tl::make_unexpected(Refusal{400, std::move(detail)});
}

bool is_loopback(ip::address const& address) {
    return address.is_loopback() || address_text(address).starts_with("127.");
}

} // namespace

std::optional<Network> Network::parse(std::string_view text) {
    auto const slash = text.find('/');
    auto const address = read_address(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    unsigned const most = address->is_v4() ? 32 : 128;
    unsigned bits = most;
    if (slash != text.npos) {
        auto const* const last = text.data() + text.size();
        auto const [end, fault] = std::from_chars(text.data() + slash + 1, last, bits);
        if (fault != std::errc() || end != last || bits == 0 || bits > most)
            return std::nullopt;
    }
    Network network;
    network.bytes_ = as_v6(*address).to_bytes();
    network.prefix_ = bits + (address->is_v4() ? kMappedBits : 0);
    return network;
}

bool Network::contains(ip::address const& address) const {
    auto const bytes = as_v6(address).to_bytes();
    auto const whole = prefix_ / 8;
    if (!std::equal(bytes.begin(), bytes.begin() + whole, bytes_.begin()))
        return false;
    if (prefix_ % 8 == 0)
        return true;
    auto const shift = 8 - prefix_ % 8;
    return bytes.at(whole) >> shift == bytes_.at(whole) >> shift;
}

TrustedProxies::TrustedProxies(std::span<std::string const> networks, std::string_view public_url)
    : public_is_secure_(public_url.starts_with("https://")) {
    for (auto const& text : networks)
        if (auto const network = Network::parse(text))
            networks_.push_back(*network);
}

bool TrustedProxies::contain(ip::address const& address) const {
    return std::ranges::any_of(networks_, [&](Network const& network) {
        return network.contains(address);
    });
}

Checked<Client> TrustedProxies::client_of(
    std::vector<std::pair<std::string, std::string>> const& fields,
    ip::address const& peer,
    bool secure
) const {
    Client const itself{address_text(peer), is_loopback(peer), secure};
    if (!contain(peer))
        return itself;
    std::string_view scheme;
    std::string chain; // several fields are one list (RFC 9110 5.3)
    bool is_forwarded = false;
    for (auto const& [name, value] : fields) {
        if (name == "x-forwarded-proto")
            scheme = value;
        else if (name == "x-forwarded-for")
            chain += (is_forwarded ? "," : "") + value;
        else
            continue;
        is_forwarded = true;
    }
    if (!is_forwarded)
        return itself; // the proxy's machine calls by itself
    if (!scheme.empty() && scheme != "http" && scheme != "https")
        return refuse("the proxy's X-Forwarded-Proto must be http or https");
    if (trim(chain).empty())
        return refuse("the proxy must say for whom it calls: X-Forwarded-For is missing");

    auto client = peer;
    std::string_view rest = chain;
    while (!trim(rest).empty() && contain(client)) {
        auto const comma = rest.rfind(',');
        auto const next = read_forwarded(rest.substr(comma == rest.npos ? 0 : comma + 1));
        if (!next)
            return refuse("the proxy's X-Forwarded-For must be a list of IP addresses");
        client = *next;
        rest = comma == rest.npos ? std::string_view() : rest.substr(0, comma);
    }
    return Client{
        address_text(client),
        is_loopback(client),
        scheme.empty() ? public_is_secure_ : scheme == "https",
    };
}

std::string address_text(ip::address address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address.to_string();
}

} // namespace cpm::http
