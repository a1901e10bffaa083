#include "tools/cpm-replay/options.hpp"

#include "core/event.hpp"
#include "tools/cpm-replay/help.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <iostream>

namespace cpm::replay {
namespace {

CLI::Validator moment_validator() {
    auto const check = [](std::string const& text) {
        return parse_moment(text) ? std::string()
                                  : "\"" + text +
                                        "\" is neither a sequence number (4711) nor a time "
                                        "(2026-11-21T09:00:00Z)";
    };
    return CLI::Validator(check, "");
}

std::vector<std::string> family_names() {
    using enum core::Family;
    std::vector<std::string> names;
    for (auto family : {Fleet, Power, Heartbeats, People, Process})
        names.emplace_back(to_string(family));
    return names;
}

std::vector<std::string> event_types() {
    auto const names = core::type_names();
    return {names.begin(), names.end()};
}

/// An option that may be given several times, one value each.
CLI::Option*
add_list(CLI::App* command, char const* name, std::vector<std::string>& list, char const* help) {
    return command->add_option(name, list, help)->allow_extra_args(false)->type_size(1);
}

CLI::Option*
add_moment(CLI::App* command, char const* name, std::optional<Moment>& moment, char const* help) {
    auto const read = [&moment](std::string const& text) { moment = parse_moment(text); };
    return command->add_option_function<std::string>(name, read, help)
        ->check(moment_validator())
        ->type_name("SEQ|TIME");
}

/// One server, by name or id.
void add_server(CLI::App* command, Options& options, bool is_required) {
    command->add_option("SERVER", options.servers, "This server (name or id)")
        ->expected(1)
        ->required(is_required)
        ->type_name("");
}

/// "90", "90s", "2m", "1h", within what the setting allows.
std::optional<core::seconds> parse_duration(std::string const& text) {
    std::int64_t number = 0;
    auto const* const end = text.data() + text.size();
    auto const [rest, error] = std::from_chars(text.data(), end, number);
    std::string_view const unit(rest, std::size_t(end - rest));
    auto const factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (error != std::errc() || factor == 0 || number < 1 || number > 86400 / factor)
        return std::nullopt;
    return core::seconds(number * factor);
}

void add_log(CLI::App* log, Options& options) {
    add_list(log, "--server", options.servers, "Only of this server (name or id)")
        ->type_name("SERVER");
    add_list(log, "--family", options.families, "Only of this family")
        ->delimiter(',')
        ->check(CLI::IsMember(family_names()).description(""))
        ->type_name("fleet|power|heartbeats|people|process");
    add_list(log, "--type", options.types, "Only of this type, for example PowerRequested")
        ->delimiter(',')
        ->check(CLI::IsMember(event_types()).description(""))
        ->type_name("TYPE");
    add_list(
        log,
        "--actor",
        options.actors,
        "Only caused by: a name, user:NAME, token:NAME, agent, timer, policy"
    )
        ->type_name("ACTOR");
    add_moment(log, "--from", options.from, "Not before this one");
    add_moment(log, "--to", options.to, "Not after this one");
    log->add_flag("-f,--follow", options.follow, "Go on with what is appended, until interrupted");
}

void add_diff(CLI::App* diff, Options& options) {
    auto const read = [&options](std::vector<std::string> const& texts) {
        for (auto const& text : texts)
            options.moments.push_back(parse_moment(text));
        return true;
    };
    auto* moments = diff->add_option("--at", read, "A moment; twice for two")
                        ->allow_extra_args(false)
                        ->type_size(1)
                        ->expected(1, 2)
                        ->check(moment_validator())
                        ->type_name("SEQ|TIME");
    diff->add_option("LOG", options.logs, "Two data directories")
        ->expected(2)
        ->excludes(moments)
        ->type_name("");
}

void add_what_if(CLI::App* what_if, Options& options) {
    auto const read = [&options](std::string const& text) {
        options.standby = parse_duration(text);
    };
    auto const check = [](std::string const& text) {
        return parse_duration(text)
                   ? std::string()
                   : "\"" + text + "\" is no standby time from 1s to 24h (90s, 2m)";
    };
    what_if
        ->add_option_function<std::string>("--standby", read, "Standby time, 1s to 24h (90s, 2m)")
        ->check(CLI::Validator(check, ""))
        ->type_name("TIME");
    what_if->add_option("--missed", options.missed, "Missed heartbeats until a server is silent")
        ->check(CLI::Range(1, 100).description(""))
        ->type_name("1-100");
    what_if
        ->add_option(
            "--release-standby", options.release_standby, "End the standby time when settled"
        )
        ->check(CLI::IsMember({"true", "false"}).description(""))
        ->type_name("true|false");
}

void add_arguments(CLI::App* command, Command which, Options& options) {
    switch (which) {
    case Command::Log: return add_log(command, options);
    case Command::State:
        add_moment(command, "--at", options.at, "The moment (default: the end of the log)");
        return;
    case Command::Transitions: return add_server(command, options, false);
    case Command::Explain:
        add_server(command, options, true);
        add_moment(command, "--at", options.at, "The moment (default: the end of the log)");
        return;
    case Command::Step: return add_server(command, options, true);
    case Command::Diff: return add_diff(command, options);
    case Command::WhatIf: return add_what_if(command, options);
    case Command::Backup:
        command->add_option("TARGET", options.path, "A directory that is not there yet")
            ->required()
            ->type_name("");
        return;
    case Command::Restore:
        command->add_option("BACKUP", options.path, "What cpm-replay backup made")
            ->required()
            ->type_name("");
        return;
    case Command::Import:
        command->add_option("FILE", options.path, "An export (default: the standard input)")
            ->type_name("");
        return;
    case Command::Verify:
    case Command::Stats:
    case Command::Export: return;
    }
}

void add_commands(CLI::App& app, Options& options) {
    for (auto const& help : all_commands()) {
        auto* command = app.add_subcommand(help.name, help.summary);
        command->footer(help.details);
        command->fallthrough(); // the options before the command may stand after it as well
        add_arguments(command, help.command, options);
    }
}

std::string list_of_commands() {
    std::string text;
    for (auto const& help : all_commands()) {
        bool const is_last = &help == &all_commands().back();
        text += text.empty() ? "" : is_last ? " and " : ", ";
        text += help.name;
    }
    return text;
}

/// Whether one moment comes after the other; a number and a time cannot be compared.
bool is_behind(Moment const& one, Moment const& other) {
    return one.index() == other.index() && one > other;
}

/// What the parser does not see; empty: all is well.
std::string contradiction_in(Options const& options) {
    if (options.follow && options.output == Output::Json)
        return "--follow never ends a JSON document; use --output ndjson";
    if (options.follow && options.to)
        return "--follow waits for what is yet to come, and --to ends before it";
    if (options.from && options.to && is_behind(*options.from, *options.to))
        return "--from lies behind --to";
    if (options.command == Command::Diff && options.moments.empty() && options.logs.empty())
        return "diff wants one or two moments (--at) or two data directories";
    bool const changes_nothing = !options.standby && !options.missed && !options.release_standby;
    if (options.command == Command::WhatIf && changes_nothing)
        return "what-if wants a setting: --standby, --missed or --release-standby";
    return {};
}

int refuse(std::string const& why) {
    std::cerr << "cpm-replay: " << why << "\nSee cpm-replay --help.\n";
    return kWrongUsage;
}

/// CLI11 says of "cpm-replay lgo" only that a command is required.
std::string what_is_wrong(CLI::App const& app, CLI::ParseError const& error) {
    bool const lacks_command = error.get_exit_code() == int(CLI::ExitCodes::RequiredError) &&
                               app.get_subcommands().empty();
    if (!lacks_command)
        return error.what();
    auto const rest = app.remaining();
    auto const what = rest.empty() ? std::string("a command is missing")
                      : rest.front().starts_with('-')
                          ? "there is no option " + rest.front()
                          : "there is no command \"" + rest.front() + "\"";
    return what + "; the commands are " + list_of_commands();
}

} // namespace

std::optional<Moment> parse_moment(std::string const& text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number > 0)
        return core::Sequence{number};
    if (auto const time = core::parse_rfc3339(text))
        return *time;
    return std::nullopt;
}

std::variant<Options, int> parse_options(int argc, char const* const* argv) {
    Options options;
    CLI::App app{about(), "cpm-replay"};
    app.footer(notes());
    app.require_subcommand(1);
    app.set_version_flag("--version", "cpm-replay " CPM_VERSION);
    app.add_option("--data-dir", options.data_dir, "The manager's data directory")
        ->envname("CPM_DATA_DIR")
        ->capture_default_str()
        ->type_name("DIR");
    std::map<std::string, Output> const outputs{
        {"table", Output::Table}, {"json", Output::Json}, {"ndjson", Output::Ndjson}};
    auto const read_output = [&](std::string const& text) { options.output = outputs.at(text); };
    app.add_option_function<std::string>("--output", read_output, "How to print (default: table)")
        ->check(CLI::IsMember({"table", "json", "ndjson"}).description(""))
        ->type_name("table|json|ndjson");
    app.add_flag("--no-color", options.no_color, "No colours (also: NO_COLOR is set)");
    add_commands(app, options);

    try {
        app.parse(argc, argv);
    } catch (CLI::Success const& help) {
        return app.exit(help);
    } catch (CLI::ParseError const& error) {
        return refuse(what_is_wrong(app, error));
    }

    for (auto const& help : all_commands())
        if (app.got_subcommand(help.name))
            options.command = help.command;
    if (options.moments.size() == 1)
        options.moments.emplace_back(); // the end of the log
    auto const* no_color = std::getenv("NO_COLOR");
    options.no_color = options.no_color || (no_color != nullptr && *no_color != '\0');
    if (auto const why = contradiction_in(options); !why.empty())
        return refuse(why);
    return options;
}

} // namespace cpm::replay
