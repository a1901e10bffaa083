// The head witness and the notes beside the log (event log 2.2): a log that lost its end does not
// start by itself.
#include "eventstore/side_files.hpp"
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;
using namespace cpm::eventstore;
namespace fs = std::filesystem;

namespace {

struct OneDirectory {
    TemporaryDirectory directory;
    fs::path data = directory.path();
    fs::path witness = data / "head-witness";

    void check_refused(std::string const& because) {
        auto const opening = open_log(data);
        REQUIRE_FALSE(opening.log);
        CHECK(opening.code == ErrorCode::Corrupt);
        CHECK_MESSAGE(opening.why.find(because) != std::string::npos, opening.why);
        CHECK(opening.why.find("--accept-truncated-log") != std::string::npos);
        CHECK(opening.why.find("backup") != std::string::npos);
    }

    // It opens rolled back, says so after a restart without the option too, and goes on once that
    // is accepted.
    void check_accepted(std::uint64_t events, std::string const& because, std::uint64_t epoch = 1) {
        {
            auto const opening = open_log(data, true);
            REQUIRE_MESSAGE(opening.log, opening.why);
            CHECK(opening.log->head().sequence.value == events);
            CHECK(opening.log->rolled_back().value_or("no").find(because) != std::string::npos);
        }
        auto const opening = open_log(data);
        REQUIRE_MESSAGE(opening.log, opening.why);
        CHECK(opening.log->rolled_back());
        CHECK(opening.log->head().epoch == epoch);
        auto accepted = simple_event(events + 1);
        accepted.payload = RollbackAccepted{epoch + 1};
        REQUIRE(opening.log->append({events}, std::span(&accepted, 1), {}));
        CHECK_FALSE(opening.log->rolled_back());
        CHECK_FALSE(fs::exists(data / "rolled-back"));
        CHECK(opening.log->head().epoch == epoch + 1);
        CHECK(read_all(*opening.log).first.size() == events + 1);
        CHECK(read_all(*opening.log).second == "");
    }
};

} // namespace

TEST_CASE_FIXTURE(OneDirectory, "witness: the first is on disk before the first record (2.2)") {
    auto const opening = open_log(data);
    REQUIRE(opening.log);
    auto const kept = read_witness(SideFiles(data)).value();
    REQUIRE(kept);
    CHECK(kept->sequence == Sequence{0});
    CHECK(*kept == opening.log->head());
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: it is the head when kept, and is written only when that changed"
) {
    auto const opening = open_log(data);
    REQUIRE(append_simple(*opening.log, 3) == "");
    CHECK(read_witness(SideFiles(data)).value()->sequence == Sequence{0});
    REQUIRE(opening.log->keep_witness());
    CHECK(read_witness(SideFiles(data)).value() == opening.log->head());
    fs::remove(witness);
    REQUIRE(opening.log->keep_witness());
    CHECK_FALSE(fs::exists(witness));
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: a log that is longer than its witness opens as it is (2.2)"
) {
    {
        auto const opening = open_log(data);
        REQUIRE(append_simple(*opening.log, 5) == "");
    }
    auto const again = open_log(data);
    REQUIRE(again.log);
    CHECK(again.log->head().sequence == Sequence{5});
    CHECK_FALSE(again.log->rolled_back());
    CHECK(read_witness(SideFiles(data)).value() == again.log->head());
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: a log without one does not start, unless accepted (2.2)"
) {
    make_log(data, 4);
    fs::remove(witness);
    check_refused("no head witness");
    check_accepted(4, "no head witness");
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: a log that ends before it does not start, unless accepted (2.2)"
) {
    make_log(data, 4);
    auto const later = file_text(witness);
    raw_put(data, 4, std::nullopt);
    check_refused("it ends at event 3, but had reached event 4");
    CHECK(file_text(witness) == later);
    check_accepted(3, "it ends at event 3, but had reached event 4");
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: an older copy of the data directory's log is noticed (2.2)"
) {
    make_log(data, 4);
    fs::copy(data / "log", data / "log-copy", fs::copy_options::recursive);
    make_log(data, 3);
    fs::remove_all(data / "log");
    fs::rename(data / "log-copy", data / "log");
    check_refused("it ends at event 4, but had reached event 7");
}

TEST_CASE_FIXTURE(OneDirectory, "witness: another event at its sequence is noticed (2.2)") {
    make_log(data, 4);
    auto record = raw_get(data, 4);
    record[record.find("event 4")] = 'E';
    raw_put(data, 4, record);
    check_refused("its event 4 is not the one that was written");
    check_accepted(4, "its event 4 is not the one that was written");
}

TEST_CASE_FIXTURE(OneDirectory, "witness: another log in the place of this one is noticed (2.2)") {
    make_log(data, 0);
    fs::remove_all(data / "log");
    check_refused("the database is gone, but traces of one are left");
    fs::create_directories(data / "other");
    make_log(data / "other", 0);
    fs::rename(data / "other" / "log", data / "log");
    check_refused("it is another log than the one that was begun here");
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: a database that is gone is not begun anew unless accepted (2.2)"
) {
    make_log(data, 4);
    fs::remove_all(data / "log");
    check_refused("the database is gone");
    CHECK_FALSE(fs::exists(data / "log" / "CURRENT"));
    check_accepted(0, "it ends at event 0, but had reached event 4");
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: what is left of a database that lost CURRENT is not deleted (2.2)"
) {
    make_log(data, 4);
    fs::remove(data / "log" / "CURRENT");
    fs::remove(witness);
    auto const wal = wal_of(data);
    auto const bytes = file_text(wal);
    check_refused("the database is gone, but traces of one are left");
    CHECK(file_text(wal) == bytes);
}

TEST_CASE_FIXTURE(OneDirectory, "witness: a first start that was cut off is simply done again") {
    make_log(data, 0);
    fs::remove(witness); // killed after the database was made, before its witness
    auto const opening = open_log(data);
    REQUIRE_MESSAGE(opening.log, opening.why);
    CHECK_FALSE(opening.log->rolled_back());
    CHECK(fs::exists(witness));
}

TEST_CASE_FIXTURE(OneDirectory, "witness: a damaged one does not start, unless accepted") {
    make_log(data, 4);
    auto const good = file_text(witness);
    for (auto const& bad :
         {std::string(),
          std::string("epoch 1\n"),
          good + "x",
          good.substr(0, good.size() - 2) + "\n"}) {
        set_file_text(witness, bad);
        auto const opening = open_log(data);
        REQUIRE_FALSE(opening.log);
        CHECK(opening.code == ErrorCode::Corrupt);
        CHECK(opening.why.find("head-witness is damaged") != std::string::npos);
    }
    check_accepted(4, "head-witness is damaged");
}

TEST_CASE_FIXTURE(
    OneDirectory, "witness: of a later epoch than the log, it is noticed, and that epoch is passed"
) {
    make_log(data, 4);
    auto later = file_text(witness);
    later.replace(0, later.find('\n'), "epoch 6");
    set_file_text(witness, later);
    check_refused("it is of epoch 1, but had reached epoch 6");
    check_accepted(4, "it is of epoch 1, but had reached epoch 6", 6);
}

TEST_CASE_FIXTURE(OneDirectory, "witness: after an accepted rollback the shorter log is the log") {
    make_log(data, 6);
    raw_put(data, 6, std::nullopt);
    check_accepted(5, "it ends at event 5, but had reached event 6");
    auto const again = open_log(data);
    REQUIRE_MESSAGE(again.log, again.why);
    CHECK_FALSE(again.log->rolled_back());
    CHECK(again.log->head().epoch == 2);
    CHECK(again.log->head().sequence == Sequence{6});
}

TEST_CASE_FIXTURE(
    OneDirectory,
    "rolled back: the mark of a witness elsewhere survives a restart, not an acceptance"
) {
    {
        auto const opening = open_log(data);
        REQUIRE(append_simple(*opening.log, 1) == "");
        REQUIRE(opening.log->mark_rolled_back("agent srv_1\nhas seen event 9", 1));
    }
    auto const note = file_text(data / "rolled-back");
    {
        auto const opening = open_log(data);
        CHECK(opening.log->rolled_back() == "agent srv_1 has seen event 9");
        auto accepted = simple_event(2);
        accepted.payload = RollbackAccepted{2};
        REQUIRE(opening.log->append({1}, std::span(&accepted, 1), {}));
    }
    CHECK_FALSE(open_log(data).log->rolled_back());
    // Killed between the append and the removal of the note: its epoch is over.
    set_file_text(data / "rolled-back", note);
    CHECK_FALSE(open_log(data).log->rolled_back());
}

TEST_CASE_FIXTURE(
    OneDirectory, "recovery: a write-ahead log cut anywhere behind the witness is a torn tail (2.2)"
) {
    {
        auto const opening = open_log(data);
        REQUIRE(append_simple(*opening.log, 3) == "");
        REQUIRE(opening.log->keep_witness());
        auto const wal = wal_of(data);
        auto const witnessed = fs::file_size(wal);
        REQUIRE(append_simple(*opening.log, 1) == "");
        fs::create_directory(data / "copy");
        fs::copy(data / "log", data / "copy" / "log", fs::copy_options::recursive);
        fs::copy(witness, data / "copy" / "head-witness");
        fs::resize_file(data / "copy" / "log" / wal.filename(), witnessed + 20);
    }
    auto const torn = open_log(data / "copy");
    REQUIRE_MESSAGE(torn.log, torn.why);
    CHECK(torn.log->head().sequence == Sequence{3});
    CHECK_FALSE(torn.log->rolled_back());
}

TEST_CASE_FIXTURE(
    OneDirectory, "recovery: a write-ahead log cut short of the witness does not start (2.2)"
) {
    make_log(data, 8);
    auto const wal = wal_of(data);
    fs::resize_file(wal, fs::file_size(wal) / 2);
    auto const cut = open_log(data);
    REQUIRE_FALSE(cut.log);
    CHECK(cut.code == ErrorCode::Corrupt);
    CHECK(cut.why.find("but had reached event 8") != std::string::npos);
    auto const accepted = open_log(data, true);
    REQUIRE_MESSAGE(accepted.log, accepted.why);
    CHECK(accepted.log->rolled_back());
    auto const [events, error] = read_all(*accepted.log);
    CHECK(error == "");
    CHECK(events.size() == accepted.log->head().sequence.value);
    CHECK(events.size() < 8);
    CHECK(append_simple(*accepted.log, 1) == "");
}

TEST_CASE_FIXTURE(
    OneDirectory,
    "recovery: no flipped bit of the write-ahead log is silent; accepted, the log goes on (2.2)"
) {
    make_log(data, 8);
    auto const name = wal_of(data).filename();
    auto const bits = 8 * fs::file_size(data / "log" / name);
    std::size_t refused = 0;
    std::size_t rounds = 0;
    for (std::size_t bit = 5; bit < bits; bit += bits / 40, ++rounds) {
        fs::remove_all(data / "copy");
        fs::create_directory(data / "copy");
        fs::copy(data / "log", data / "copy" / "log", fs::copy_options::recursive);
        fs::copy(witness, data / "copy" / "head-witness");
        auto bytes = file_text(data / "copy" / "log" / name);
        bytes[bit / 8] = char(bytes[bit / 8] ^ 1 << bit % 8);
        set_file_text(data / "copy" / "log" / name, bytes);
        if (auto const opening = open_log(data / "copy"); opening.log) {
            // Then nothing may be lost: every event is there, and the chain holds.
            CHECK_MESSAGE(read_all(*opening.log).first.size() == 8, "bit ", bit);
            continue;
        } else {
            CHECK_MESSAGE(opening.code == ErrorCode::Corrupt, "bit ", bit, ": ", opening.why);
        }
        ++refused;
        auto const accepted = open_log(data / "copy", true);
        REQUIRE_MESSAGE(accepted.log, "bit ", bit, ": ", accepted.why);
        CHECK(accepted.log->rolled_back());
        CHECK(read_all(*accepted.log).second == "");
        CHECK(append_simple(*accepted.log, 1) == "");
    }
    MESSAGE(refused, " of ", rounds, " flipped bits were refused");
    CHECK(refused > rounds / 2);
}

TEST_CASE_FIXTURE(
    OneDirectory, "recovery: a flipped bit in a table file never changes an event (2.2)"
) {
    make_log(data, 8);
    REQUIRE(open_log(data).log); // moves the records from the write-ahead log to table files
    std::vector<fs::path> tables;
    for (auto const& entry : fs::directory_iterator(data / "log"))
        if (entry.path().extension() == ".sst")
            tables.push_back(entry.path());
    REQUIRE_FALSE(tables.empty());
    std::size_t found = 0;
    for (auto const& table : tables) {
        auto const good = file_text(table);
        for (std::size_t bit = 3; bit < 8 * good.size(); bit += good.size()) {
            fs::remove_all(data / "copy");
            fs::create_directory(data / "copy");
            fs::copy(data / "log", data / "copy" / "log", fs::copy_options::recursive);
            fs::copy(witness, data / "copy" / "head-witness");
            auto bytes = good;
            bytes[bit / 8] = char(bytes[bit / 8] ^ 1 << bit % 8);
            set_file_text(data / "copy" / "log" / table.filename(), bytes);
            auto const opening = open_log(data / "copy");
            if (!opening.log) {
                CHECK_MESSAGE(opening.code == ErrorCode::Corrupt, opening.why);
                ++found;
                continue;
            }
            auto const [events, error] = read_all(*opening.log);
            CHECK_MESSAGE((!error.empty() || events == simple_events(0, 8)), "bit ", bit);
            if (!error.empty())
                ++found;
        }
    }
    CHECK(found > 0);
}
