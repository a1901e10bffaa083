// A thousand damaged copies of logs (event log 2.2): one that was stopped cleanly opens with
// exactly the history that was written, or is refused with a reason, at the second attempt too; one
// whose manager was killed may also have lost what came after its last witness.
//
// CPM_DAMAGED_COPIES is their number, CPM_DAMAGE_SEED the seed; CPM_DAMAGE_ONLY runs one of them,
// CPM_DAMAGE_VERBOSE tells of each. The soak suite eventstore_damage judges 5,000.
#include "tests/eventstore/damage.hpp"
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/history.hpp"
#include "tests/eventstore/processes.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/syncs.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <unistd.h>

using namespace cpm::core;
using namespace cpm::eventstore;
namespace fs = std::filesystem;

namespace {

constexpr int kWorkers = 2;

std::uint64_t setting(char const* name, std::uint64_t otherwise) {
    char const* const text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

void append(RocksDbLog& log, std::uint64_t batches, std::uint64_t batch) {
    for (std::uint64_t i = 0; i < batches; ++i)
        REQUIRE(append_history(log, batch) == "");
}

// One life of a manager: appends in batches, and stops cleanly.
void live(fs::path const& data, std::uint64_t batches, std::uint64_t batch) {
    auto const opening = open_log(data);
    REQUIRE_MESSAGE(opening.log, opening.why);
    append(*opening.log, batches, batch);
    REQUIRE(opening.log->keep_witness());
}

void copy_data(fs::path const& from, fs::path const& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
}

struct Base {
    char const* name;
    std::uint64_t events;
    std::uint64_t witnessed; ///< so many of them are known beside the log
    void (*make)(fs::path const& data, fs::path const& older);
};

constexpr Base kBases[] = {
    {"a log that lies in its write-ahead log alone",
     40,
     40,
     [](fs::path const& data, fs::path const& older) {
         live(data, 20, 1);
         copy_data(data, older);
         fs::remove_all(data);
         live(data, 40, 1);
     }},
    {"a log of several lives",
     60,
     60,
     [](fs::path const& data, fs::path const& older) {
         live(data, 20, 1);
         live(data, 4, 5);
         copy_data(data, older);
         live(data, 20, 1);
     }},
    {"a log to which the last life added nothing",
     40,
     40,
     [](fs::path const& data, fs::path const& older) {
         live(data, 20, 1);
         copy_data(data, older);
         live(data, 20, 1);
         live(data, 0, 0);
     }},
    {"a log of large batches",
     800,
     800,
     [](fs::path const& data, fs::path const& older) {
         live(data, 4, 100);
         copy_data(data, older);
         live(data, 2, 200);
     }},
    {"a log whose manager was killed",
     60,
     50,
     [](fs::path const& data, fs::path const& older) {
         auto const alive = fs::path(data).concat("-alive");
         live(alive, 20, 1);
         copy_data(alive, older);
         live(alive, 20, 1);
         auto const opening = open_log(alive);
         append(*opening.log, 10, 1);
         REQUIRE(opening.log->keep_witness());
         append(*opening.log, 10, 1);
         copy_data(alive, data); // as it lies there now: nothing is closed
     }},
};

struct Verdict {
    std::string outcome; ///< right, shorter, refused, damage noticed, WRONG
    std::string why;
};

Verdict wrong(std::string why) {
    return {"WRONG", std::move(why)};
}

// Reads all that a manager would.
Verdict judge_reading(RocksDbLog const& log, Base const& base) {
    auto const events = log.head().sequence.value;
    auto const why = judge_history(log, events);
    if (why.starts_with("damage: "))
        return {"damage noticed", why};
    if (!why.empty())
        return wrong(why);
    if (events < base.witnessed || events > base.events)
        return wrong("its history has " + std::to_string(events) + " events");
    // What an agent's witness finds: the stories of the real manager show it.
    return {events < base.events ? "shorter" : "right", ""};
}

Verdict judge(fs::path const& data, Base const& base) {
    auto const opening = open_log(data);
    if (!opening.log)
        return opening.why.find(data.string()) != std::string::npos
                   ? Verdict{"refused", opening.why}
                   : wrong("refused without saying what: " + opening.why);
    if (opening.log->rolled_back())
        return wrong("opens as rolled back");
    return judge_reading(*opening.log, base);
}

// A manager that was refused is started again by its unit: that must not make it any better, except
// wholly.
Verdict judge_twice(fs::path const& data, Base const& base) {
    auto const first = judge(data, base);
    if (first.outcome == "WRONG")
        return first;
    auto again = judge(data, base);
    if (again.outcome == "WRONG")
        return wrong("the second time: " + again.why + " (first: " + first.why + ")");
    bool const was_open = first.outcome == "right" || first.outcome == "shorter";
    if (was_open && again.outcome != first.outcome)
        return wrong(first.outcome + ", and the second time: " + again.outcome + again.why);
    return first;
}

std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n' || c == '\t')
            c = ' ';
    return text;
}

fs::path directory_of(char const* variable) {
    char const* const directory = std::getenv(variable);
    REQUIRE_MESSAGE(directory, "run by another case only");
    return directory;
}

} // namespace

// RocksDB is built with asserts, and its threads do not survive a fork: so this process never opens
// a log itself, and each copy has a process of its own.
TEST_CASE("child: judges its share of the damaged copies" * doctest::skip()) {
    auto const directory = directory_of("CPM_TEST_DIRECTORY");
    auto const seed = setting("CPM_DAMAGE_SEED", 0);
    auto const worker = setting("CPM_DAMAGE_WORKER", 0);
    auto const only = setting("CPM_DAMAGE_ONLY", ~0ull);
    std::ofstream verdicts(directory / ("verdicts-" + std::to_string(worker)));
    for (auto copy = worker; copy < setting("CPM_DAMAGED_COPIES", 0); copy += kWorkers) {
        if (only != ~0ull && copy != only)
            continue;
        auto const which = copy % std::size(kBases);
        auto const base = directory / ("base-" + std::to_string(which));
        auto const data = directory / ("copy-" + std::to_string(worker));
        auto const result = directory / ("result-" + std::to_string(worker));
        copy_data(base, data);
        auto const done = damage(data, base.string() + "-older", seed + copy);
        fs::remove(result);
        auto const child = ::fork();
        if (child == 0) {
            ::alarm(120);
            leave_out_syncs(); // nobody cuts the power here
            auto const verdict = judge_twice(data, kBases[which]);
            std::ofstream(result) << verdict.outcome << '\t' << one_line(verdict.why);
            ::_exit(0);
        }
        auto const status = wait_for(child);
        auto const verdict =
            status == 0 ? file_text(result) : "died\tit ended with " + std::to_string(status);
        verdicts << copy << '\t' << done.file << '\t' << kBases[which].name << ": " << done.what
                 << '\t' << verdict << '\n';
    }
}

TEST_CASE("damage: a log that was closed has noted all of its list of files (2.2)") {
    TemporaryDirectory directory;
    auto const data = directory.path() / "data";
    for (int life = 0; life < 6; ++life) {
        live(data, 3, 1);
        auto const current = file_text(data / "log" / "CURRENT");
        auto const list = current.substr(0, current.find('\n'));
        auto const size = fs::file_size(data / "log" / list);
        CHECK(file_text(data / "list-of-files").starts_with(list + ' ' + std::to_string(size) + ' ')
        );
    }
}

TEST_CASE("damage: a list of files that lost its end is refused; accepted, the index is whole (2.2)"
) {
    TemporaryDirectory directory;
    auto const data = directory.path() / "data";
    auto const list = [&] {
        auto const current = file_text(data / "log" / "CURRENT");
        return data / "log" / current.substr(0, current.find('\n'));
    };
    live(data, 20, 1);
    live(data, 20, 1);
    live(data, 20, 1);
    // The last entries are of the accounts and of the index: their newest tables.
    for (std::uint64_t const lost : {1, 60, 200, 270}) {
        auto const copy = directory.path() / "whole";
        copy_data(data, copy);
        fs::resize_file(list(), fs::file_size(list()) - lost);
        for (int start = 0; start < 2; ++start) {
            auto const refused = open_log(data);
            REQUIRE_FALSE(refused.log);
            CHECK(refused.code == ErrorCode::Corrupt);
            CHECK(
                (refused.why.find("its list of files, MANIFEST-") != refused.why.npos ||
                 refused.why.find("it ends at event") != refused.why.npos)
            );
            CHECK(refused.why.find("--accept-truncated-log") != refused.why.npos);
        }
        if (auto const accepted = open_log(data, true); accepted.log) {
            CHECK(accepted.log->rolled_back());
            auto const [events, error] = read_all(*accepted.log);
            CHECK((!error.empty() || events.size() == accepted.log->head().sequence.value));
            std::size_t of_server = 0;
            REQUIRE(accepted.log->read_server({2}, {1}, {60}, [&](auto const&) {
                return ++of_server > 0;
            }));
            if (error.empty())
                CHECK(of_server == std::size_t(std::ranges::count_if(events, [](auto const& event) {
                          return event.server.value == 2;
                      })));
        }
        copy_data(copy, data);
    }
}

TEST_CASE("damage: a list of files that is gone is refused, and cannot be accepted (2.2)") {
    TemporaryDirectory directory;
    auto const data = directory.path() / "data";
    live(data, 20, 1);
    auto const current = file_text(data / "log" / "CURRENT");
    fs::remove(data / "log" / current.substr(0, current.find('\n')));
    for (bool const has_note : {true, false}) {
        if (!has_note)
            fs::remove(data / "list-of-files");
        for (bool const accept : {false, true}) {
            auto const refused = open_log(data, accept);
            REQUIRE_FALSE(refused.log);
            CHECK(refused.code == ErrorCode::Corrupt);
            CHECK(refused.why.find("MANIFEST-") != refused.why.npos);
            CHECK(refused.why.find("backup") != refused.why.npos);
        }
    }
}

TEST_CASE("damage: a size that is not as it was is told in one line (2.2)") {
    TemporaryDirectory directory;
    auto const data = directory.path() / "data";
    live(data, 20, 1);
    live(data, 20, 1);
    for (auto const& file : fs::directory_iterator(data / "log"))
        if (file.path().extension() == ".sst")
            set_file_text(file.path(), file_text(file.path()) + "more");
    auto const refused = open_log(data);
    REQUIRE_FALSE(refused.log);
    CHECK(refused.code == ErrorCode::Corrupt);
    CHECK(refused.why.find('\n') == refused.why.npos);
}

TEST_CASE("damage: a thousand damaged copies are right or refused, none is wrong (2.2)") {
    auto const copies = setting("CPM_DAMAGED_COPIES", 1000);
    auto const seed = setting("CPM_DAMAGE_SEED", 20'261'122);
    MESSAGE(copies, " damaged copies, CPM_DAMAGE_SEED=", seed);
    TemporaryDirectory directory(fast_place());
    for (std::size_t i = 0; i < std::size(kBases); ++i) {
        auto const base = directory.path() / ("base-" + std::to_string(i));
        kBases[i].make(base, base.string() + "-older");
    }
    ::setenv("CPM_DAMAGED_COPIES", std::to_string(copies).c_str(), 1);
    ::setenv("CPM_DAMAGE_SEED", std::to_string(seed).c_str(), 1);
    std::vector<pid_t> workers;
    for (int worker = 0; worker < kWorkers; ++worker) {
        ::setenv("CPM_DAMAGE_WORKER", std::to_string(worker).c_str(), 1);
        workers.push_back(start("child: judges its share of the damaged copies", directory.path()));
    }
    for (auto const worker : workers)
        CHECK(wait_for(worker) == 0);

    std::map<std::string, std::size_t> outcomes;
    std::map<std::string, std::map<std::string, std::size_t>> files;
    std::size_t total = 0;
    for (int worker = 0; worker < kWorkers; ++worker) {
        std::ifstream verdicts(directory.path() / ("verdicts-" + std::to_string(worker)));
        for (std::string line; std::getline(verdicts, line); ++total) {
            std::array<std::string, 5> part; // number, file, damage, outcome, why
            std::istringstream columns(line);
            for (auto& column : part)
                std::getline(columns, column, '\t');
            ++outcomes[part[3]];
            ++files[part[1]][part[3]];
            CHECK_MESSAGE((part[3] != "WRONG" && part[3] != "died"), line);
            if (std::getenv("CPM_DAMAGE_VERBOSE"))
                std::cout << line << '\n';
        }
    }
    for (auto const& [file, counts] : files)
        for (auto const& [outcome, count] : counts)
            std::cout << "  " << file << ": " << count << " " << outcome << '\n';
    CHECK(total == copies);
    for (char const* outcome : {"right", "refused"})
        CHECK_MESSAGE(outcomes[outcome] > 0, outcome);
}
