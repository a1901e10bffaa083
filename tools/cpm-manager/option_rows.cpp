#include "tools/cpm-manager/option_rows.hpp"

#include "http/forwarded.hpp"
#include "http/head_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace cpm::tools {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& number) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

bool is_address(std::string const& text) {
    std::array<unsigned char, 16> bytes{};
    return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

Fault read_endpoint(std::string_view text, std::optional<Endpoint>& endpoint) {
    Fault const expected = "expected ADDRESS:PORT (like 127.0.0.1:8080 or [::1]:8080) or off";
    if (text == "off") {
        endpoint.reset();
        return {};
    }
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return expected;
    auto address = std::string(text.substr(0, colon));
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    Endpoint read{address, 0};
    if (!is_address(address) || !read_number(text.substr(colon + 1), read.port))
        return expected;
    endpoint = read;
    return {};
}

Fault set_data_dir(Options& options, std::string_view text) {
    if (text.empty())
        return "expected a directory";
    options.data_directory = text;
    return {};
}

Fault set_http(Options& options, std::string_view text) {
    return read_endpoint(text, options.http);
}

Fault set_https(Options& options, std::string_view text) {
    return read_endpoint(text, options.https);
}

Fault set_compatible_wake(Options& options, std::string_view text) {
    return read_endpoint(text, options.compatible_wake);
}

GivenCertificate& given(Options& options) {
    return options.certificate ? *options.certificate : options.certificate.emplace();
}

Fault set_tls_certificate(Options& options, std::string_view text) {
    if (text.empty())
        return "expected a file";
    given(options).certificate = text;
    return {};
}

Fault set_tls_key(Options& options, std::string_view text) {
    if (text.empty())
        return "expected a file";
    given(options).key = text;
    return {};
}

Fault set_ready_file(Options& options, std::string_view text) {
    if (text.empty())
        return "expected a file";
    options.ready_file = text;
    return {};
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        auto const comma = text.find(',');
        items.emplace_back(text.substr(0, comma));
        text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    }
    return items;
}

Fault set_host_names(Options& options, std::string_view text) {
    options.host_names = split(text);
    if (std::ranges::count(options.host_names, "") > 0)
        return "expected host names, separated by commas";
    return {};
}

Fault set_trusted_proxies(Options& options, std::string_view text) {
    options.trusted_proxies = split(text);
    for (auto const& network : options.trusted_proxies)
        if (!http::Network::parse(network))
            return "expected addresses or networks (like 127.0.0.1 or 10.1.0.0/16), separated by "
                   "commas";
    return {};
}

Fault read_count(std::string_view text, std::size_t low, std::size_t& count) {
    constexpr std::size_t kMost = 65536;
    std::size_t number = 0;
    if (!read_number(text, number) || number < low || number > kMost)
        return fmt::format("expected a whole number from {} to {}", low, kMost);
    count = number;
    return {};
}

Fault set_connections(Options& options, std::string_view text) {
    return read_count(text, 8, options.connections);
}

Fault set_connections_per_address(Options& options, std::string_view text) {
    return read_count(text, 1, options.connections_per_address);
}

Fault set_connections_for_agents(Options& options, std::string_view text) {
    return read_count(text, 0, options.connections_for_agents.emplace());
}

/// A scheme and where it leads, nothing behind: agents call paths of their own there.
Fault set_public_url(Options& options, std::string_view text) {
    auto const scheme = text.find("://");
    auto const authority = scheme == text.npos ? "" : text.substr(scheme + 3);
    auto const end = std::min(authority.find('/'), authority.size());
    bool const is_web = text.starts_with("http://") || text.starts_with("https://");
    bool const has_path = authority.find_first_not_of('/', end) != authority.npos;
    if (!is_web || has_path || http::host_of(authority.substr(0, end)).empty())
        return "expected a URL like https://cpm.example, without a path";
    options.public_url = text;
    return {};
}

Fault set_space_reserve(Options& options, std::string_view text) {
    std::uint64_t mebibytes = 0;
    if (!read_number(text, mebibytes) || mebibytes == 0 || mebibytes > (1ULL << 30))
        return "expected a whole number of MiB from 1";
    options.space_reserve = mebibytes << 20;
    return {};
}

constexpr OptionRow kRows[] = {
    {"data_dir",
     "DIR",
     "where the event log and the keys are kept (default /var/lib/cpm)",
     set_data_dir},
    {"http",
     "ADDR:PORT|off",
     "plain HTTP (default 127.0.0.1:8080; port 0 picks a free one)",
     set_http},
    {"https",
     "ADDR:PORT|off",
     "TLS, for agents and people (default 0.0.0.0:8443; off when the port of --http is 0)",
     set_https},
    {"compatible_wake",
     "ADDR:PORT|off",
     "plain HTTP for scripts of another wake handler (default off; usual: 127.0.0.1:9876)",
     set_compatible_wake},
    {"tls_certificate",
     "FILE",
     "a certificate of your own, with its chain, in PEM (default: from the manager's own CA)",
     set_tls_certificate},
    {"tls_key", "FILE", "its private key in PEM, without a passphrase", set_tls_key},
    {"ready_file",
     "FILE",
     "written (0600) when the manager serves: where, and the setup code",
     set_ready_file},
    {"host_names", "NAME,...", "further names by which this manager is called", set_host_names},
    {"public_url",
     "URL",
     "how agents and people reach it, through a proxy for one; used in join lines",
     set_public_url},
    {"trusted_proxies",
     "ADDR,...",
     "proxies whose X-Forwarded-For and -Proto are believed (addresses or networks; default none)",
     set_trusted_proxies},
    {"connections", "N", "the most connections at once (default 1024)", set_connections},
    {"connections_per_address",
     "N",
     "the most from one address (default 256; loopback and trusted proxies excepted)",
     set_connections_per_address},
    {"connections_for_agents",
     "N",
     "how many of all are kept for agents (default a quarter)",
     set_connections_for_agents},
    {"space_reserve_mib",
     "MIB",
     "free disk below which changes are refused (default: the larger of 256 and 5 %)",
     set_space_reserve},
};

} // namespace

std::span<OptionRow const> option_rows() {
    return kRows;
}

} // namespace cpm::tools
