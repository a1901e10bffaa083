// cpm-replay as a program (event log 2.4): its exit codes, its output on a terminal and in a pipe,
// and that it only reads, also beside a running manager.
#include "tests/replay/replay.hpp"
#include "tests/support/wait_until.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace cpm;
using namespace cpm::test;

namespace fs = std::filesystem;

namespace {

std::string content(std::filesystem::path const& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// Every file below a directory: its content, and when it was last written.
std::map<std::string, std::pair<std::string, std::filesystem::file_time_type>>
snapshot(std::filesystem::path const& directory) {
    std::map<std::string, std::pair<std::string, std::filesystem::file_time_type>> files;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.is_regular_file())
            files[entry.path().string()] = {content(entry.path()), entry.last_write_time()};
    return files;
}

/// Columns of a terminal, for texts of ASCII, kanji and kana alone.
std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    for (unsigned char const byte : text)
        columns += byte < 0x80 ? 1 : byte >= 0xE0 ? 2 : 0;
    return columns;
}

std::size_t column_of(std::string const& line, std::string_view word) {
    auto const found = line.find(word);
    REQUIRE(found != std::string::npos);
    return columns_of(std::string_view(line).substr(0, found));
}

/// cpm-replay in the background, its output in a file.
class Background {
  public:
    Background(std::vector<std::string> arguments, std::filesystem::path const& out) {
        arguments.insert(arguments.begin(), CPM_REPLAY);
        std::vector<char*> words;
        for (auto& argument : arguments)
            words.push_back(argument.data());
        words.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        int const flags = O_WRONLY | O_CREAT | O_TRUNC;
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, 0600);
        REQUIRE(posix_spawn(&process_, CPM_REPLAY, &actions, nullptr, words.data(), environ) == 0);
        posix_spawn_file_actions_destroy(&actions);
    }

    /// Its exit status after this signal; minus the signal when it died of one.
    int stop(int signal) const {
        kill(process_, signal);
        int status = 0;
        waitpid(process_, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

  private:
    pid_t process_ = 0;
};

} // namespace

TEST_CASE("wrong usage ends with 2 and names what is wrong (2.4)") {
    Data const data(small_history());
    std::map<std::string, std::string> const wrong{
        {"", "a command is missing"},
        {"logg", "logg"},
        {"--colour log", "--colour"},
        {"log --bogus", "--bogus"},
        {"log --family power,fleets", "fleets"},
        {"log --type PowerAsked", "PowerAsked"},
        {"log --from noon", "noon"},
        {"log --from 0", "\"0\""},
        {"log --server", "--server"},
        {"log --server nobody", "nobody"},
        {"log --from 5 --to 3", "--from"},
        {"log --from 2026-11-21T09:00:01Z --to 2026-11-21T09:00:00Z", "--from"},
        {"log --follow --to 9", "--follow"},
        {"log --follow --output json", "--follow"},
        {"state --at 12", "the log ends at event 11"},
        {"state extra", "extra"},
        {"transitions nobody", "nobody"},
        {"verify --output xml", "xml"},
        {"explain nobody", "SERVER"},
        {"step", "SERVER"},
        {"diff", "--at"},
        {"diff --at 12", "the log ends at event 11"},
        {"diff one", "LOG"},
        {"diff --at 1 one two", "--at"},
        {"what-if", "--standby"},
        {"what-if --standby 25h", "25h"},
        {"what-if --missed 0", "--missed"},
        {"what-if --release-standby maybe", "true,false"},
        {"backup", "TARGET"},
        {"restore", "BACKUP"},
        {"import /nonexistent", "/nonexistent"},
    };
    for (auto const& [arguments, named] : wrong) {
        CAPTURE(arguments);
        auto const run = replay(data.with(arguments));
        CHECK(run.status == 2);
        CHECK(run.out == "");
        CHECK(run.err.find(named) != std::string::npos);
    }
}

TEST_CASE("help ends with 0 and shows examples") {
    CHECK(replay("--version").out.starts_with("cpm-replay 0."));
    CHECK(replay("--help").out.find("Exit status: 0 fine, 1 a finding") != std::string::npos);
    for (auto const* command :
         {"log",
          "state",
          "transitions",
          "explain",
          "step",
          "diff",
          "what-if",
          "verify",
          "stats",
          "backup",
          "restore",
          "export",
          "import"}) {
        auto const run = replay(std::string(command) + " --help");
        CHECK(run.status == 0);
        CHECK(run.out.find(std::string("cpm-replay ") + command) != std::string::npos);
    }
}

TEST_CASE("the man page tells of each command, option and example of --help (2.4)") {
    auto page = content(CPM_SOURCE_DIR "/packaging/man/cpm-replay.1");
    std::erase(page, '\\');
    auto const is_told = [&](std::string const& text) {
        CAPTURE(text);
        CHECK(page.find(text) != std::string::npos);
    };
    for (auto const* command :
         {"log",
          "state",
          "transitions",
          "explain",
          "step",
          "diff",
          "what-if",
          "verify",
          "stats",
          "backup",
          "restore",
          "export",
          "import"}) {
        is_told(command);
        for (auto const& line : replay(std::string(command) + " --help").lines()) {
            auto const text = line.substr(std::min(line.find_first_not_of(' '), line.size()));
            if (text.starts_with("-"))
                is_told(text.substr(0, text.find_first_of(" ,")));
            else if (text.starts_with("cpm-replay ") || text.find("| cpm-replay") != text.npos)
                is_told(text);
        }
    }
}

TEST_CASE("a log that cannot be read ends with 3 and says why (2.4)") {
    TemporaryDirectory const empty;
    for (auto const* command : {"log", "state", "transitions", "verify"}) {
        auto const run = replay("--data-dir " + empty.path().string() + " " + command);
        CHECK(run.status == 3);
        CHECK(run.err.find("there is no log in " + empty.path().string()) != std::string::npos);
    }
    Data const damaged(small_history());
    damaged.drop(6);
    for (auto const* command : {"log", "state", "transitions"}) {
        auto const run = replay(damaged.with(command));
        CHECK(run.status == 3);
        CHECK(run.err.find("event 6") != std::string::npos);
        CHECK(run.err.find("verify") != std::string::npos);
    }
    auto const until_there = replay(damaged.with("log --output json"));
    CHECK(until_there.status == 3);
    CHECK(until_there.json().as_array().size() == 5);
}

TEST_CASE("a log that lost its end is shown, and nobody takes it for all (2.4)") {
    auto const events = small_history();
    Data const data({events.begin(), events.begin() + 8});
    append(*open_log(data.path()), std::span(events).subspan(8));
    for (auto const& file : fs::directory_iterator(data.path() / "log"))
        if (file.path().extension() == ".log")
            fs::remove(file.path());
    for (auto const* command : {"log", "state", "transitions web-1", "export", "step web-1"}) {
        auto const run = replay(data.with(command));
        CHECK(run.status == 3);
        CHECK(run.lines().size() > 1);
        CHECK(run.err.find("ends at event 8, but had reached event 11") != std::string::npos);
    }
    fs::remove(data.path() / "head-witness");
    auto const run = replay(data.with("state"));
    CHECK(run.status == 3);
    CHECK(run.err.find("it has no head witness") != std::string::npos);
}

TEST_CASE("a log that lost its index of servers shows no part of a server's as all (2.4)") {
    Data const data(small_history());
    data.remove_index_file();
    for (auto const* command : {"log --server web-1", "transitions web-1", "explain web-1"}) {
        auto const run = replay(data.with(command));
        CHECK(run.status != 0);
        CHECK(run.err.find("is not whole") != std::string::npos);
    }
}

TEST_CASE("the data directory comes from the command line, else from CPM_DATA_DIR") {
    Data const data(small_history());
    Data const other({});
    auto const variable = "CPM_DATA_DIR=" + data.path().string();
    CHECK(replay("log", variable).lines().size() == 12);
    CHECK(replay(other.with("log"), variable).lines().size() == 1);
    CHECK(replay("log --data-dir " + other.path().string(), variable).lines().size() == 1);
}

TEST_CASE("nothing in the data directory is changed, and no scratch is left (2.4)") {
    Data const data(small_history());
    TemporaryDirectory const scratch;
    auto const before = snapshot(data.path());
    for (auto const* command :
         {"log",
          "state",
          "transitions",
          "explain web-1",
          "step web-1",
          "what-if --missed 1",
          "export",
          "verify",
          "stats"})
        CHECK(replay(data.with(command), "TMPDIR=" + scratch.path().string()).status == 0);
    CHECK(snapshot(data.path()) == before);
    CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("the log of a running manager is read, with what it appended last (2.4)") {
    Data const data({});
    auto const log = open_log(data.path());
    auto const events = small_history();
    append(*log, std::span(events).first(8));
    CHECK(replay(data.with("verify")).out.starts_with("clean: 8 events"));
    append(*log, std::span(events).subspan(8));
    CHECK(replay(data.with("verify")).out.starts_with("clean: 11 events"));
    CHECK(replay(data.with("state")).lines().back().starts_with("2 servers after event 11"));
}

TEST_CASE("log --follow shows what is appended, and ends with 0 when interrupted (2.4)") {
    Data const data({});
    auto const log = open_log(data.path());
    auto const events = small_history();
    append(*log, std::span(events).first(5));
    TemporaryDirectory const scratch;
    auto const out = scratch.path() / "out";
    auto const shows = [&](std::string_view text) {
        return test_support::wait_until([&] { return content(out).find(text) != std::string::npos; }
        );
    };
    Background const following(
        {"--data-dir",
         data.path().string(),
         "log",
         "--follow",
         "--output",
         "ndjson",
         "--server",
         "東京サーバー"},
        out
    );
    CHECK(shows("\"sequence\":2,"));
    append(*log, std::span(events).subspan(5, 4));
    CHECK(shows("\"sequence\":9,"));
    append(*log, std::span(events).subspan(9));
    CHECK(shows("\"sequence\":11,"));
    CHECK(following.stop(SIGINT) == 0);
    CHECK(content(out).find("\"sequence\":6,") == std::string::npos);
}

TEST_CASE("a reader that goes away ends the program without a word") {
    Data const data(small_history());
    auto const run = replay(data.with("log --output ndjson | head -n 1"));
    CHECK(run.lines().size() == 1);
    CHECK(run.err == "");
}

TEST_CASE("output that cannot be written is told, and no export is half of one unnoticed (2.4)") {
    Data const data(small_history());
    for (auto const* command : {"export", "log", "state --output json", "verify", "step web-1"}) {
        auto const run = replay(data.with(command + std::string(" >/dev/full")));
        CHECK(run.status == 3);
        CHECK(run.err.find("cannot be written: No space left on device") != std::string::npos);
    }
}

TEST_CASE("what a program without standard streams prints goes into no file of the log (2.2)") {
    Data const data(small_history());
    TemporaryDirectory const place;
    auto const file = place.path() / "export";
    auto const copy = "--data-dir " + (place.path() / "copy").string();
    REQUIRE(replay(data.with("export >" + file.string())).status == 0);
    CHECK(replay(copy + " import " + file.string() + " <&- >&-").status == 0);
    CHECK(replay(copy + " verify").out == replay(data.with("verify")).out);
}

TEST_CASE("columns stay in line beside Japanese names") {
    Data const data(small_history());
    auto const state = replay(data.with("state")).lines();
    REQUIRE(state.size() == 4);
    auto const status = column_of(state[0], "STATUS");
    CHECK(column_of(state[1], "OFF ") == status);
    CHECK(column_of(state[2], "StartupDelayed") == status);
    auto const log = replay(data.with("log")).lines();
    CHECK(column_of(log[1], "ServerAdded") == column_of(log[0], "TYPE"));
    CHECK(column_of(log[2], "ServerAdded") == column_of(log[0], "TYPE"));
}

TEST_CASE("a terminal gets no line longer than it is wide, and all of it; a pipe a line a row") {
    Data const data(small_history());
    for (std::string const command : {"transitions", "log", "state", "what-if --standby 2m"})
        for (int const columns : {30, 60, 100}) {
            CAPTURE(command);
            CAPTURE(columns);
            auto const run = replay_on_terminal(columns, data.with(command + " --no-color"));
            for (auto const& line : run.lines()) {
                std::string plain = line; // "…" is one column, not two
                for (auto at = plain.find("…"); at != std::string::npos; at = plain.find("…"))
                    plain.replace(at, std::string_view("…").size(), ".");
                CHECK_MESSAGE(columns_of(plain) <= std::size_t(columns), line);
            }
            std::istringstream words(replay(data.with(command)).out);
            bool const is_whole = columns >= 60 && command != "state";
            for (std::string word; is_whole && words >> word;)
                CHECK_MESSAGE(run.out.find(word) != run.out.npos, word);
        }
    CHECK(replay(data.with("transitions")).lines().size() == 10);
    CHECK(replay(data.with("transitions")).out.find("…") == std::string::npos);
}

TEST_CASE("colour is for terminals, and not with --no-color or NO_COLOR (2.4)") {
    Data const data(small_history());
    auto const is_colored = [](Run const& run) {
        CHECK(run.out.find("web-1") != std::string::npos);
        return run.out.find("\x1b[") != std::string::npos;
    };
    CHECK(is_colored(replay_on_terminal(200, data.with("state"))));
    CHECK_FALSE(is_colored(replay_on_terminal(200, data.with("state --no-color"))));
    CHECK_FALSE(is_colored(replay_on_terminal(200, data.with("state"), "NO_COLOR=1")));
    CHECK_FALSE(is_colored(replay(data.with("state"))));
}

TEST_CASE("a text from outside cannot steer the terminal") {
    World world;
    world.add(kNode1, "evil\x1b[2J\r\nname\xff");
    Data const data(world.events);
    auto const run = replay(data.with("state"));
    CHECK(run.lines().size() == 3);
    CHECK(run.out.find('\x1b') == std::string::npos);
    CHECK(run.out.find("evil\uFFFD[2J\uFFFD\uFFFDname\uFFFD") != std::string::npos);
}
