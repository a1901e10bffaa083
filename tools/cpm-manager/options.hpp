#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cpm::tools {

/// Where to listen.
struct Endpoint {
    std::string address;    ///< an IPv4 or IPv6 address
    std::uint16_t port = 0; ///< 0: a free one is picked
};

/// Files of a certificate that was given.
struct GivenCertificate {
    std::filesystem::path certificate;
    std::filesystem::path key;
};

/// What cpm-manager is started with: flags win over the environment (CPM_…) over the configuration
/// file.
struct Options {
    std::filesystem::path data_directory = "/var/lib/cpm";
    std::optional<Endpoint> http = Endpoint{"127.0.0.1", 8080}; ///< none: off
    /// TLS; none: off. When it is not given, and the port of `http` is 0 (a trial beside others),
    /// it is off.
    std::optional<Endpoint> https = Endpoint{"0.0.0.0", 8443};
    std::optional<Endpoint> compatible_wake; ///< plain; none: off
    /// A certificate chain and its key in PEM; without them the manager's own authority makes one.
    std::optional<GivenCertificate> certificate;
    std::optional<std::filesystem::path> ready_file;
    std::vector<std::string> host_names;      ///< names in Host beside loopback and own addresses
    std::string public_url;                   ///< in join lines, and a site of its own (Origin)
    std::vector<std::string> trusted_proxies; ///< addresses and networks
    std::size_t connections = 1024;
    std::size_t connections_per_address = 256;
    std::optional<std::size_t> connections_for_agents; ///< none: a quarter
    std::optional<std::uint64_t> space_reserve;        ///< bytes
    bool accept_truncated_log = false;
    bool check = false; ///< only check the options

    /// What was given, as text by key ("data_dir"), and where.
    struct Given {
        std::string text;
        std::string where; ///< "--data-dir", "CPM_DATA_DIR", "/etc/cpm/manager.toml:3: data_dir"
    };
    std::map<std::string, Given, std::less<>> given;
};

/// Everything that is wrong, a line a fault: the flag, variable, or file and line, and what was
/// expected.
struct UsageError {
    std::vector<std::string> faults;
};

/// The text of --help or --version, to be printed to standard output.
struct HelpText {
    std::string text;
};

std::variant<Options, UsageError, HelpText> read_options(int argc, char const* const* argv);

} // namespace cpm::tools
