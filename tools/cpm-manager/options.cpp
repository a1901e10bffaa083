#include "tools/cpm-manager/options.hpp"

#include "http/forwarded.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdlib>
#include <toml++/toml.h>

namespace cpm::tools {
namespace {

namespace fs = std::filesystem;

constexpr auto kDefaultConfig = "/etc/cpm/manager.toml";

/// What was expected, or nothing when the value was taken.
using Fault = std::optional<std::string>;

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

Fault set_public_url(Options& options, std::string_view text) {
    if (!text.starts_with("http://") && !text.starts_with("https://"))
        return "expected a URL like https://cpm.example";
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

/// One option, the same in all three places: `data_dir` in the file, CPM_DATA_DIR, --data-dir.
struct Row {
    std::string_view key;
    std::string_view placeholder;
    std::string_view help;
    Fault (*set)(Options&, std::string_view text);
};

constexpr std::array kRows{
    Row{"data_dir",
        "DIR",
        "where the event log and the keys lie (default /var/lib/cpm)",
        set_data_dir},
    Row{"http",
        "ADDR:PORT|off",
        "plain HTTP (default 127.0.0.1:8080; port 0 picks a free one)",
        set_http},
    Row{"https",
        "ADDR:PORT|off",
        "TLS, for agents and people (default off; usual: 0.0.0.0:8443)",
        set_https},
    Row{"compatible_wake",
        "ADDR:PORT|off",
        "plain HTTP for scripts of another wake handler (default off; usual: 127.0.0.1:9876)",
        set_compatible_wake},
    Row{"tls_certificate",
        "FILE",
        "a certificate of your own, with its chain, in PEM (default: from the manager's own CA)",
        set_tls_certificate},
    Row{"tls_key", "FILE", "its private key in PEM, without a passphrase", set_tls_key},
    Row{"ready_file",
        "FILE",
        "written (0600) when the manager serves: where, and the setup code",
        set_ready_file},
    Row{"host_names", "NAME,…", "further names this manager is called by", set_host_names},
    Row{"public_url", "URL", "how agents and people reach it; used in join lines", set_public_url},
    Row{"trusted_proxies",
        "ADDR,…",
        "proxies whose X-Forwarded-For and -Proto count (addresses or networks; default none)",
        set_trusted_proxies},
    Row{"connections", "N", "at most so many at once (default 1024)", set_connections},
    Row{"connections_per_address",
        "N",
        "of one address, but for loopback and trusted proxies (default 256)",
        set_connections_per_address},
    Row{"connections_for_agents",
        "N",
        "of all, kept for agents (default a quarter)",
        set_connections_for_agents},
    Row{"space_reserve_mib",
        "MIB",
        "free disk below which changes are refused (default: the larger of 256 and 5 %)",
        set_space_reserve},
};

std::string flag_of(std::string_view key) {
    std::string flag = fmt::format("--{}", key);
    for (auto& c : flag)
        if (c == '_')
            c = '-';
    return flag;
}

std::string variable_of(std::string_view key) {
    std::string variable = fmt::format("CPM_{}", key);
    for (auto& c : variable)
        if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
    return variable;
}

/// A TOML value as the text the rows read; none when it is of a kind no row takes.
std::optional<std::string> text_of(toml::node const& node) {
    if (auto const text = node.value_exact<std::string>())
        return *text;
    if (auto const number = node.value_exact<std::int64_t>())
        return std::to_string(*number);
    auto const* items = node.as_array();
    if (!items)
        return std::nullopt;
    std::string joined;
    for (auto const& item : *items) {
        auto const text = item.value_exact<std::string>();
        if (!text)
            return std::nullopt;
        joined += (joined.empty() ? "" : ",") + *text;
    }
    return joined;
}

void read_file(fs::path const& file, Options& options, std::vector<std::string>& faults) {
    auto const parsed = [&]() -> std::optional<toml::table> {
        // toml++ reports by exceptions; they end here, with the line.
        try {
            return toml::parse_file(file.string());
        } catch (toml::parse_error const& error) {
            faults.push_back(fmt::format(
                "{}:{}: {}", file.string(), error.source().begin.line, error.description()
            ));
            return std::nullopt;
        }
    }();
    if (!parsed)
        return;
    for (auto const& [key, node] : *parsed) {
        auto const where =
            fmt::format("{}:{}: {}", file.string(), node.source().begin.line, key.str());
        auto const row = std::ranges::find(kRows, key.str(), &Row::key);
        if (row == kRows.end()) {
            faults.push_back(where + ": is not an option of cpm-manager");
            continue;
        }
        auto const text = text_of(node);
        auto const fault = text ? row->set(options, *text) : Fault{"expected a text or a number"};
        if (fault)
            faults.push_back(fmt::format("{}: {}", where, *fault));
    }
}

} // namespace

std::variant<Options, UsageError, HelpText> read_options(int argc, char const* const* argv) {
    CLI::App app{"cpm-manager: decides what each server's power should be, and keeps the log that "
                 "proves it"};
    app.set_version_flag("--version", CPM_VERSION);
    std::array<std::string, kRows.size()> flags;
    std::string config;
    app.add_option(
           "--config", config, fmt::format("the configuration file (default {})", kDefaultConfig)
    )
        ->type_name("FILE");
    for (std::size_t i = 0; i < kRows.size(); ++i)
        app.add_option(flag_of(kRows[i].key), flags[i], std::string(kRows[i].help))
            ->type_name(std::string(kRows[i].placeholder));
    Options options;
    app.add_flag(
        "--accept-truncated-log",
        options.accept_truncated_log,
        "start although the log ends before its witness; an administrator then accepts the rollback"
    );
    app.add_flag(
        "--check", options.check, "check the options and the configuration file, and stop"
    );
    app.footer("Each option is also a key of the configuration file (data_dir = \"…\") and a "
               "variable (CPM_DATA_DIR).");

    // CLI11 reports by exceptions; --help and --version are among them.
    try {
        app.parse(argc, argv);
    } catch (CLI::CallForHelp const&) {
        return HelpText{app.help()};
    } catch (CLI::CallForVersion const&) {
        return HelpText{"cpm-manager " CPM_VERSION "\n"};
    } catch (CLI::ParseError const& error) {
        return UsageError{{error.what()}};
    }

    std::vector<std::string> faults;
    char const* const config_variable = std::getenv("CPM_CONFIG");
    if (config.empty() && config_variable)
        config = config_variable;
    std::error_code ignored;
    if (!config.empty())
        read_file(config, options, faults);
    else if (fs::exists(kDefaultConfig, ignored))
        read_file(kDefaultConfig, options, faults);
    for (auto const& row : kRows)
        if (char const* text = std::getenv(variable_of(row.key).c_str()))
            if (auto const fault = row.set(options, text))
                faults.push_back(fmt::format("{}: {}", variable_of(row.key), *fault));
    for (std::size_t i = 0; i < kRows.size(); ++i)
        if (app.count(flag_of(kRows[i].key)) > 0)
            if (auto const fault = kRows[i].set(options, flags[i]))
                faults.push_back(fmt::format("{}: {}", flag_of(kRows[i].key), *fault));
    if (auto const& files = options.certificate; files && files->key.empty())
        faults.emplace_back("tls_key: expected the key of tls_certificate, too");
    else if (files && files->certificate.empty())
        faults.emplace_back("tls_certificate: expected the certificate of tls_key, too");
    if (options.connections_for_agents.value_or(0) >= options.connections)
        faults.emplace_back("connections_for_agents: expected fewer than there are connections");
    if (!faults.empty())
        return UsageError{std::move(faults)};
    return options;
}

} // namespace cpm::tools
