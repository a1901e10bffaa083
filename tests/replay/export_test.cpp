// cpm-replay export, import, backup, restore (event log 2.4): the same bytes again.
#include "tests/eventstore/events.hpp"
#include "tests/replay/replay.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace cpm;
using namespace cpm::test;

namespace fs = std::filesystem;

namespace {

std::string in(fs::path const& data, std::string const& arguments) {
    return "--data-dir '" + data.string() + "' " + arguments;
}

void write_file(fs::path const& path, std::string const& text) {
    std::ofstream(path, std::ios::binary) << text;
}

/// Imports a text; the run, and whether a log was made.
std::pair<Run, bool> import_text(std::string const& text) {
    TemporaryDirectory const made;
    auto const file = made.path() / "export.ndjson";
    auto const data = made.path() / "data";
    write_file(file, text);
    auto const run = replay(in(data, "import " + file.string()));
    return {run, fs::exists(data / "log")};
}

} // namespace

TEST_CASE("export, import, export: identical bytes, and the same witness (2.4)") {
    for (auto const& events : {small_history(), one_of_each(), std::vector<core::Event>()}) {
        Data const data(events);
        auto const first = replay(data.with("export"));
        CHECK(first.status == 0);
        CHECK(first.lines().size() == events.size() + 1);
        TemporaryDirectory const place;
        auto const copy = place.path() / "copy";
        write_file(place.path() / "export.ndjson", first.out);
        auto const import =
            replay(in(copy, "import <'" + (place.path() / "export.ndjson").string() + "'"));
        CHECK(import.status == 0);
        CHECK(replay(in(copy, "export")).out == first.out);
        CHECK(replay(in(copy, "verify")).out == replay(data.with("verify")).out);
        // Nothing was added: a manager that starts on it finds the head it expects.
        CHECK(open_log(copy)->head() == open_log(data.path())->head());
    }
}

TEST_CASE("export: the raw bytes beside the readable form, after a line about the log (2.4)") {
    Data const data(small_history());
    auto const lines = replay(data.with("export")).ndjson();
    REQUIRE(lines.size() == 12);
    CHECK(lines[0].at("format").as_string() == "cpm-log-1");
    CHECK(lines[0].at("head").as_int64() == 11);
    CHECK(lines[0].at("log_id").as_string().size() == 64);
    CHECK(lines[11].at("hash") == lines[0].at("head_hash"));
    CHECK(lines[6].at("type").as_string() == "PowerRequested");
    CHECK(lines[6].at("record").as_string().size() > 100);
}

TEST_CASE("import, backup, restore: what was made, as a line or as JSON (2.4)") {
    Data const data(small_history());
    TemporaryDirectory const place;
    auto const head = replay(data.with("verify --output json")).json().at("head");
    auto const file = place.path() / "export.ndjson";
    write_file(file, replay(data.with("export")).out);
    auto const check = [&](std::string const& said, fs::path const& made, std::string const& how) {
        auto const line = replay(how).out;
        CHECK(line.starts_with(said + made.string() + ": epoch 1, head 11 "));
        for (std::string const output : {"json", "ndjson"}) {
            fs::remove_all(made);
            auto const run = replay(how + " --output " + output);
            CHECK(run.status == 0);
            CHECK(run.json().at("directory").as_string() == made.string());
            for (auto const* field : {"epoch", "sequence", "hash"})
                CHECK(run.json().at(field) == head.at(field));
        }
    };
    auto const copy = place.path() / "copy";
    auto const backup = place.path() / "backup";
    check("imported into ", copy, in(copy, "import " + file.string()));
    check("backed up to ", backup, data.with("backup " + backup.string()));
    fs::remove_all(copy);
    check("restored to ", copy, in(copy, "restore " + backup.string()));
}

TEST_CASE("import: only into an empty directory (2.4)") {
    Data const data(small_history());
    auto const file = data.path() / "export.ndjson";
    write_file(file, replay(data.with("export")).out);
    auto const run = replay(in(data.path(), "import " + file.string()));
    CHECK(run.status == 2);
    CHECK(run.err.find("is not empty") != std::string::npos);
    CHECK(replay(data.with("verify")).status == 0);
}

TEST_CASE("import: whatever is wrong with the export, a log that is there stays as it is (2.4)") {
    Data const data(small_history());
    auto const before = replay(data.with("export")).out;
    TemporaryDirectory const place;
    auto const file = place.path() / "export.ndjson";
    for (auto const& text : {std::string(), std::string("no export\n"), before + "{}\n", before}) {
        write_file(file, text);
        CHECK(replay(in(data.path(), "import " + file.string())).status != 0);
        CHECK(replay(data.with("export")).out == before);
        CHECK(replay(data.with("verify")).status == 0);
    }
}

TEST_CASE("import: what is not whole or not an export is refused, and leaves nothing (2.4)") {
    Data const data(small_history());
    auto const text = replay(data.with("export")).out;
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        auto const end = text.find('\n', begin) + 1;
        lines.push_back(text.substr(begin, end - begin));
        begin = end;
    }
    auto const without = [&](std::size_t left_out) {
        std::string rest;
        for (std::size_t i = 0; i < lines.size(); ++i)
            rest += i == left_out ? "" : lines[i];
        return rest;
    };
    auto swapped = lines;
    std::swap(swapped[5], swapped[6]);
    std::string in_another_order;
    for (auto const& line : swapped)
        in_another_order += line;
    auto changed = text;
    auto const record = changed.find("\"record\":\"", changed.find("PowerRequested")) + 80;
    changed[record] = changed[record] == 'A' ? 'B' : 'A';

    std::vector<std::pair<std::string, std::string>> const refused{
        {without(11), "it ends at event 10"},
        {without(5), "event 5: its record is missing"}, // a gap that no event explains
        {without(0), "line 1: this is no export"},
        {in_another_order, "event"},
        {changed, "event"},
        {text + "{}\n", "line 13"},
        {lines[0] + "not json\n", "line 2"},
        {"", "line 1"},
    };
    for (auto const& [what, why] : refused) {
        CAPTURE(why);
        auto const [run, made] = import_text(what);
        CHECK(run.status == 3);
        CHECK_FALSE(made);
        CHECK(run.err.find(why) != std::string::npos);
    }
    CHECK(import_text(text).first.status == 0);
}

TEST_CASE("backup: a copy that verifies, with keys and notes, private to its owner (2.3)") {
    Data const data(small_history());
    fs::create_directory(data.path() / "keys");
    write_file(data.path() / "keys" / "order.key", "secret");
    fs::permissions(data.path() / "keys" / "order.key", fs::perms::owner_read);
    TemporaryDirectory const place;
    auto const target = place.path() / "backup";
    auto const run = replay(data.with("backup " + target.string() + "/"));
    CHECK(run.status == 0);
    CHECK(run.out.find("head 11 ") != std::string::npos);
    CHECK(replay(in(target, "verify")).status == 0);
    CHECK(replay(in(target, "export")).out == replay(data.with("export")).out);
    CHECK(fs::status(target).permissions() == fs::perms::owner_all);
    CHECK(fs::status(target / "keys" / "order.key").permissions() == fs::perms::owner_read);
    CHECK_FALSE(fs::exists(place.path() / "backup.partial"));

    auto const again = replay(data.with("backup " + target.string()));
    CHECK(again.status == 2);
    CHECK(again.err.find("is there already") != std::string::npos);
    // What an attempt left that was cut off is in nobody's way.
    fs::create_directory(place.path() / "second.partial");
    CHECK(replay(data.with("backup " + (place.path() / "second").string())).status == 0);
}

TEST_CASE("backup: a log that is damaged is no backup, and leaves nothing (2.3)") {
    Data const data(small_history());
    data.change(6, [](core::Event& event) { event.actor.name = "mallory"; });
    TemporaryDirectory const place;
    auto const run = replay(data.with("backup " + (place.path() / "backup").string()));
    CHECK(run.status == 3);
    CHECK(run.err.find("event 7") != std::string::npos);
    CHECK(fs::is_empty(place.path()));
}

TEST_CASE("backup, restore: accounts that cannot be read are no backup (2.3)") {
    TemporaryDirectory const place;
    Data const data(small_history());
    auto const backup = place.path() / "backup";
    REQUIRE(replay(data.with("backup " + backup.string())).status == 0);
    data.damage_accounts();
    auto const run = replay(data.with("backup " + backup.string() + "-2"));
    CHECK(run.status == 3);
    CHECK(run.err.find("checksum") != std::string::npos);
    CHECK_FALSE(fs::exists(backup.string() + "-2"));
    CHECK(replay(in(place.path() / "new", "restore " + data.path().string())).status == 3);
    CHECK_FALSE(fs::exists(place.path() / "new"));
}

TEST_CASE("backup: a log without its index or its witness is no backup (2.3)") {
    TemporaryDirectory const place;
    auto const backup = "backup " + (place.path() / "backup").string();
    Data const no_index(small_history());
    no_index.remove_index_file();
    CHECK(replay(no_index.with(backup)).status == 3);
    Data const no_witness(small_history());
    fs::remove(no_witness.path() / "head-witness");
    auto const run = replay(no_witness.with(backup));
    CHECK(run.status == 3);
    CHECK(run.err.find("head-witness is missing") != std::string::npos);
    CHECK(fs::is_empty(place.path()));
}

TEST_CASE("restore: the log as it was backed up; a manager goes on from there (2.3)") {
    Data const data({});
    auto const events = small_history();
    auto const log = open_log(data.path());
    {
        append(*log, std::span(events).first(8)); // while the manager runs
        TemporaryDirectory const place;
        auto const backup = place.path() / "backup";
        REQUIRE(replay(data.with("backup " + backup.string())).status == 0);
        append(*log, std::span(events).subspan(8));
        auto const restored = place.path() / "restored";
        auto const run = replay(in(restored, "restore " + backup.string()));
        CHECK(run.status == 0);
        CHECK(run.out.find("head 8 ") != std::string::npos);
        CHECK(replay(in(restored, "verify")).out.starts_with("clean: 8 events"));
        append(*open_log(restored), std::span(events).subspan(8));
        CHECK(replay(in(restored, "verify")).out.starts_with("clean: 11 events"));
        CHECK(replay(in(backup, "verify")).out.starts_with("clean: 8 events")); // as it was

        auto const twice = replay(in(restored, "restore " + backup.string()));
        CHECK(twice.status == 2);
        CHECK(twice.err.find("is not empty") != std::string::npos);
        auto const nothing = replay(in(place.path() / "new", "restore " + restored.string() + "x"));
        CHECK(nothing.status == 3);
        CHECK_FALSE(fs::exists(place.path() / "new"));
    }
}
