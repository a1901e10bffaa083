#include "tools/cpm-replay/options.hpp"

#include "core/event.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <iostream>

namespace cpm::replay {
namespace {

constexpr auto kAbout =
    "Shows what happened, from the event log of CPM, the cluster power manager.\n"
    "Only reads, also while the manager runs.";

constexpr auto kNotes = R"(
The options above may also stand after the command.

A server is named by its name or its id (srv_...). A moment is a sequence number or a time like
2026-11-21T09:00:00Z. All times are shown in UTC. The order of events is their sequence: times are
what the manager's clock said.

Output is a table, also in a pipe, unless --output says json (one document) or ndjson (one JSON
object a line). On a terminal the last column is cut at the edge; a pipe gets it whole.

Exit status: 0 fine, 1 a finding (verify), 2 wrong usage, 3 the log cannot be read.
)";

constexpr auto kLogExamples = R"(
Examples:
  cpm-replay log --server web-1 --family power
  cpm-replay log --actor user:alice --from 2026-11-21T00:00:00Z
  cpm-replay log --type PowerRequested,PowerRefused --output ndjson
  cpm-replay log --from 4700 --follow
)";

constexpr auto kStateExamples = R"(
A decision is shown whole: --at a sequence in its middle shows the state at its end. --at a time is
the state before the first event that is later.

Examples:
  cpm-replay state
  cpm-replay state --at 4711
  cpm-replay state --at 2026-11-21T23:00:00+09:00 --output json
)";

constexpr auto kTransitionsExamples = R"(
Each change of an actual status, decision by decision: what led there is the event that decided it,
with who caused it; the rule is the row of the status table, or the rule before it, that says so.

Examples:
  cpm-replay transitions
  cpm-replay transitions web-1 --output ndjson
)";

constexpr auto kVerifyExamples = R"(
Checks that no number is missing, that each record carries its predecessor's hash, that the log
reaches its head witness, that each record can be read, and that each recorded status is the one
that follows from the events. Prints a line a fault, and goes on where it can.

Examples:
  cpm-replay verify
  cpm-replay --data-dir /mnt/backup/cpm verify --output json
)";

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

CLI::App* add_command(CLI::App& app, char const* name, char const* help, char const* examples) {
    auto* command = app.add_subcommand(name, help);
    command->footer(examples);
    command->fallthrough(); // the options before the command may stand after it as well
    return command;
}

void add_log(CLI::App& app, Options& options) {
    auto* log = add_command(app, "log", "The events, oldest first", kLogExamples);
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

void add_commands(CLI::App& app, Options& options) {
    add_log(app, options);

    auto* state =
        add_command(app, "state", "The servers, as they were at one moment", kStateExamples);
    add_moment(state, "--at", options.at, "The moment (default: the end of the log)");

    auto* transitions =
        add_command(app, "transitions", "Each change of status, and why", kTransitionsExamples);
    transitions->add_option("SERVER", options.servers, "Only of this server (name or id)")
        ->expected(1)
        ->type_name("");

    add_command(app, "verify", "Whether the log is whole and unchanged", kVerifyExamples);
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
    return what + "; the commands are log, state, transitions and verify";
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
    CLI::App app{kAbout, "cpm-replay"};
    app.footer(kNotes);
    app.require_subcommand(1);
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

    for (auto const& [name, command] : std::map<std::string, Command>{
             {"log", Command::Log},
             {"state", Command::State},
             {"transitions", Command::Transitions},
             {"verify", Command::Verify}})
        if (app.got_subcommand(name))
            options.command = command;
    auto const* no_color = std::getenv("NO_COLOR");
    options.no_color = options.no_color || (no_color != nullptr && *no_color != '\0');
    if (options.follow && options.output == Output::Json)
        return refuse("--follow never ends a JSON document; use --output ndjson");
    if (options.follow && options.to)
        return refuse("--follow waits for what is yet to come, and --to ends before it");
    return options;
}

} // namespace cpm::replay
