#include "tools/cpm-agent/options.hpp"

#include "agent/tls.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

namespace cpm::tools {
namespace {

namespace fs = std::filesystem;

constexpr auto kDefaultConfig = "/etc/cpm/agent.toml";

/// The texts of the flags, as they came.
struct Flags {
    std::string config;
    std::string state_dir;
    std::string run_dir;
    std::string url;
    std::string token;
    std::string ca_pin;
    std::vector<std::string> macs;
    bool no_start = false;
};

bool is_mac(std::string_view text) {
    constexpr std::string_view kForm = "xx:xx:xx:xx:xx:xx";
    auto const fits = [](char c, char form) {
        return form == 'x' ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c == form;
    };
    return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), fits);
}

void set_path(
    std::string const& flag,
    std::string const& text,
    fs::path& path,
    std::vector<std::string>& faults
) {
    if (text.empty())
        return;
    if (text.starts_with('/'))
        path = text;
    else
        faults.push_back(flag + ": expected an absolute path");
}

void read_join(Flags const& flags, AgentOptions& options, std::vector<std::string>& faults) {
    if (auto const url = agent::parse_url(flags.url))
        options.manager = *url;
    else
        faults.push_back("URL: " + url.error());
    if (flags.token.empty())
        faults.push_back("--token: expected the join token of the server, from its page");
    if (!flags.ca_pin.empty() && !agent::is_pin(flags.ca_pin))
        faults.push_back("--ca-pin: expected sha256: and 64 hexadecimal digits");
    if (!flags.ca_pin.empty() && !options.manager.secure)
        faults.push_back("--ca-pin: needs an https:// URL; there is no certificate on plain HTTP");
    if (!std::ranges::all_of(flags.macs, is_mac))
        faults.push_back("--mac: expected an address like 52:54:00:12:34:56");
    options.join_token = flags.token;
    options.ca_pin = flags.ca_pin;
    options.mac_addresses = flags.macs;
    options.start = !flags.no_start;
}

/// CLI11 says of "cpm-agent jion" only that a subcommand is required.
std::string what_is_wrong(CLI::App const& app, CLI::ParseError const& error) {
    bool const lacks_command = error.get_exit_code() == int(CLI::ExitCodes::RequiredError) &&
                               app.get_subcommands().empty();
    if (!lacks_command)
        return error.what();
    std::string commands;
    for (auto const* command : app.get_subcommands({}))
        commands += (commands.empty() ? "" : ", ") + command->get_name();
    auto const rest = app.remaining();
    auto const what = rest.empty() ? std::string("a command is missing")
                                   : fmt::format("there is no command \"{}\"", rest.front());
    return fmt::format("{}; the commands are {}", what, commands);
}

} // namespace

std::variant<AgentOptions, AgentUsageError, AgentHelp>
read_agent_options(int argc, char const* const* argv) {
    CLI::App app("The agent of a server whose power cpm-manager manages.", "cpm-agent");
    app.set_version_flag("--version", "cpm-agent " CPM_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    Flags flags;
    app.add_option("--config", flags.config, "the configuration file (default /etc/cpm/agent.toml)")
        ->type_name("FILE");
    app.add_option(
           "--state-dir", flags.state_dir, "what the join gave (default /var/lib/cpm-agent)"
    )
        ->type_name("DIR");
    app.add_option(
           "--run-dir", flags.run_dir, "what does not outlive a boot (default /run/cpm-agent)"
    )
        ->type_name("DIR");
    auto* const join = app.add_subcommand("join", "make this machine a server of a manager");
    join->add_option("URL", flags.url, "the manager's address")->required();
    join->add_option("--token", flags.token, "the join token of the server")->required();
    join->add_option("--ca-pin", flags.ca_pin, "the fingerprint of the manager's own CA");
    join->add_option("--mac", flags.macs, "only this network card wakes it (default: all)");
    join->add_flag("--no-start", flags.no_start, "do not enable and start cpm-agent.service");
    auto* const run = app.add_subcommand("run", "be the daemon, until SIGTERM");
    auto* const status = app.add_subcommand("status", "what the agent last said, and what it sees");
    auto* const leave = app.add_subcommand("leave", "undo the join");
    auto* const arm = app.add_subcommand("arm-wake", "let the cards wake this machine (as root)");
    app.add_subcommand("run-hooks", "run the hooks before an OFF (as root)");
    try {
        app.parse(argc, argv);
    } catch (CLI::CallForHelp const&) {
        return AgentHelp{app.help()};
    } catch (CLI::CallForVersion const&) {
        return AgentHelp{"cpm-agent " CPM_VERSION "\n"};
    } catch (CLI::ParseError const& error) {
        return AgentUsageError{{what_is_wrong(app, error)}};
    }

    AgentOptions options;
    std::vector<std::string> faults;
    std::error_code ignored;
    if (!flags.config.empty())
        read_agent_file(flags.config, options, faults);
    else if (fs::exists(kDefaultConfig, ignored))
        read_agent_file(kDefaultConfig, options, faults);
    set_path("--state-dir", flags.state_dir, options.state_directory, faults);
    set_path("--run-dir", flags.run_dir, options.run_directory, faults);
    if (*join)
        read_join(flags, options, faults);
    if (!faults.empty())
        return AgentUsageError{std::move(faults)};
    options.command = *join     ? AgentCommand::Join
                      : *run    ? AgentCommand::Run
                      : *status ? AgentCommand::Status
                      : *leave  ? AgentCommand::Leave
                      : *arm    ? AgentCommand::ArmWake
                                : AgentCommand::Hooks;
    return options;
}

} // namespace cpm::tools
