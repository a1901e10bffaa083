#include "tools/cpm-manager/options.hpp"

#include "tools/cpm-manager/option_rows.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <toml++/toml.h>
#include <utility>

namespace cpm::tools {
namespace {

namespace fs = std::filesystem;

constexpr auto kDefaultConfig = "/etc/cpm/manager.toml";

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

/// How many letters have to be changed, added or left out to make one of the other.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        auto diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < other.size(); ++j) {
            auto const changed = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string unknown_key(std::string_view key) {
    auto const near = std::ranges::min_element(option_rows(), {}, [&](OptionRow const& row) {
        return distance(row.key, key);
    });
    bool const is_near = distance(near->key, key) <= 1 + key.size() / 3;
    return is_near ? fmt::format("is not an option of cpm-manager; did you mean {}?", near->key)
                   : "is not an option of cpm-manager; see cpm-manager --help";
}

/// Reads the options from all three places.
class Reader {
  public:
    void take(OptionRow const& row, std::string_view text, std::string where) {
        if (auto const fault = row.set(options, text))
            faults.push_back(fmt::format("{}: {}", where, *fault));
        options.given.insert_or_assign(
            std::string(row.key), Options::Given{std::string(text), std::move(where)}
        );
    }
    void read_file(fs::path const& file);
    void conclude();

    Options options;
    std::vector<std::string> faults;
};

void Reader::read_file(fs::path const& file) {
    errno = 0;
    std::ifstream content(file);
    std::error_code ignored;
    bool const is_directory = fs::is_directory(file, ignored); // it opens, and reads as empty
    if (!content.is_open() || is_directory) {
        auto const why = std::error_code(is_directory ? EISDIR : errno, std::generic_category());
        faults.push_back(fmt::format(
            "the configuration file {} cannot be read: {}", file.string(), why.message()
        ));
        return;
    }
    auto const parsed = [&]() -> std::optional<toml::table> {
        // toml++ reports by exceptions; they end here, with the line.
        try {
            return toml::parse(content, file.string());
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
        auto where = fmt::format("{}:{}: {}", file.string(), key.source().begin.line, key.str());
        auto const row = std::ranges::find(option_rows(), key.str(), &OptionRow::key);
        auto const text = text_of(node);
        if (row == option_rows().end())
            faults.push_back(fmt::format("{}: {}", where, unknown_key(key.str())));
        else if (!text)
            faults.push_back(where + ": expected a text, a number or a list of texts");
        else
            take(*row, *text, std::move(where));
    }
}

/// What follows from several options together.
void Reader::conclude() {
    if (!options.given.contains("https") && options.http && options.http->port == 0)
        options.https.reset();
    if (auto const& files = options.certificate; files && files->key.empty())
        faults.push_back(options.given.at("tls_certificate").where + ": needs its tls_key, too");
    else if (files && files->certificate.empty())
        faults.push_back(options.given.at("tls_key").where + ": needs its tls_certificate, too");
    if (options.connections_for_agents.value_or(0) >= options.connections)
        faults.push_back(
            options.given.at("connections_for_agents").where +
            ": expected fewer than there are connections"
        );
}

} // namespace

std::variant<Options, UsageError, HelpText> read_options(int argc, char const* const* argv) {
    CLI::App app{"cpm-manager: decides what each server's power should be, and keeps the log that "
                 "proves it"};
    app.set_version_flag("--version", CPM_VERSION);
    auto const rows = option_rows();
    std::vector<std::string> flags(rows.size());
    std::string config;
    app.add_option(
           "--config", config, fmt::format("the configuration file (default {})", kDefaultConfig)
    )
        ->type_name("FILE");
    for (std::size_t i = 0; i < rows.size(); ++i)
        app.add_option(flag_of(rows[i].key), flags[i], std::string(rows[i].help))
            ->type_name(std::string(rows[i].placeholder));
    Reader reader;
    app.add_flag(
        "--accept-truncated-log",
        reader.options.accept_truncated_log,
        "start although the log ends before its witness; an administrator then accepts the rollback"
    );
    app.add_flag(
        "--check", reader.options.check, "check the options and the configuration file, and stop"
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

    char const* const config_variable = std::getenv("CPM_CONFIG");
    if (config.empty() && config_variable)
        config = config_variable;
    std::error_code ignored;
    if (!config.empty())
        reader.read_file(config);
    else if (fs::exists(kDefaultConfig, ignored))
        reader.read_file(kDefaultConfig);
    for (auto const& row : rows)
        if (char const* text = std::getenv(variable_of(row.key).c_str()))
            reader.take(row, text, variable_of(row.key));
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (app.count(flag_of(rows[i].key)) > 0)
            reader.take(rows[i], flags[i], flag_of(rows[i].key));
    reader.conclude();
    if (!reader.faults.empty())
        return UsageError{std::move(reader.faults)};
    return std::move(reader.options);
}

} // namespace cpm::tools
