// Heartbeats that were compacted away (event log 2.3): every number is a record or lies in a range.
#include "eventstore/codec.hpp"
#include "eventstore/fault_point.hpp"
#include "eventstore/log_import.hpp"
#include "eventstore/memory_log.hpp"
#include "eventstore/rocksdb_reader.hpp"
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

using namespace cpm::core;
using namespace cpm::eventstore;

namespace {

struct InMemory {
    MemoryLog log;
};

struct OnDisk {
    TemporaryDirectory directory;
    std::unique_ptr<RocksDbLog> owned = RocksDbLog::open({directory.path()}).value();
    RocksDbLog& log = *owned;
};

using Numbers = std::vector<std::uint64_t>;

Event heartbeat(std::uint64_t sequence, std::uint64_t server) {
    auto event = simple_event(sequence, server);
    HeartbeatReceived received;
    received.status = HeartbeatStatus::On;
    received.timeout = seconds(30);
    event.payload = received;
    return event;
}

/// The range of these numbers, as the log has them.
HeartbeatsCompacted range_of(EventReader const& log, std::uint64_t first, std::uint64_t last) {
    HeartbeatsCompacted range{{first}, {last}, last - first + 1, {}, {}};
    auto const hash = [&](std::uint64_t sequence) {
        Hash found{};
        CHECK(log.read_back({sequence}, {sequence}, [&](StoredEvent const& stored) {
            found = stored.hash;
            return true;
        }));
        return found;
    };
    range.prev_hash = hash(first - 1);
    range.last_hash = hash(last);
    return range;
}

void append(EventLog& log, Event const& event) {
    auto const done = log.append(log.head().sequence, std::span(&event, 1), {});
    REQUIRE_MESSAGE(done, (done ? "" : done.error().detail));
}

/// Twelve events: 1 to 3, heartbeats of servers 1 and 2 as 4 to 11, 12; then 13 and 14, which say
/// that 4 to 7 and 8 to 10 are compacted away, one range right behind the other.
void make(EventLog& log) {
    REQUIRE(append_simple(log, 3) == "");
    for (std::uint64_t i = 4; i <= 11; ++i)
        append(log, heartbeat(i, 1 + i % 2));
    REQUIRE(append_simple(log, 1) == "");
    auto event = simple_event(13);
    event.payload = range_of(log, 4, 7);
    auto next = simple_event(14);
    next.payload = range_of(log, 8, 10);
    append(log, event);
    append(log, next);
}

void remove_all(EventLog& log) {
    for (;;) {
        auto const removed = log.remove_compacted();
        REQUIRE_MESSAGE(removed, (removed ? "" : removed.error().detail));
        if (!*removed)
            return;
    }
}

Numbers up(EventReader const& log, std::uint64_t first, std::uint64_t last) {
    auto const [events, error] = read_all(log, first, last);
    CHECK(error == "");
    Numbers numbers;
    for (auto const& event : events)
        numbers.push_back(event.sequence.value);
    return numbers;
}

Numbers down(EventReader const& log, std::uint64_t first, std::uint64_t last) {
    Numbers numbers;
    auto const done = log.read_back({first}, {last}, [&](StoredEvent const& stored) {
        numbers.push_back(stored.event.sequence.value);
        return true;
    });
    CHECK_MESSAGE(done, (done ? "" : done.error().detail));
    return numbers;
}

Numbers of_server(EventReader const& log, std::uint64_t server) {
    Numbers numbers;
    auto const done = log.read_server({server}, {1}, {99}, [&](StoredEvent const& stored) {
        numbers.push_back(stored.event.sequence.value);
        return true;
    });
    CHECK_MESSAGE(done, (done ? "" : done.error().detail));
    return numbers;
}

Numbers const kWhole{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
Numbers const kRest{1, 2, 3, 11, 12, 13, 14};

} // namespace

#define FOR_EACH_LOG(name) TEST_CASE_TEMPLATE(name, Fixture, InMemory, OnDisk)

FOR_EACH_LOG("compacted: a range that is only named is read as it stands (2.3)") {
    Fixture fixture;
    CHECK(fixture.log.compacted_until() == Sequence{0});
    make(fixture.log);
    CHECK(fixture.log.compacted_until() == Sequence{10});
    CHECK(up(fixture.log, 1, 99) == kWhole);
    CHECK(of_server(fixture.log, 1).size() + of_server(fixture.log, 2).size() > 8);
}

FOR_EACH_LOG("compacted: what was deleted is stepped over, up, down and by server (2.3)") {
    Fixture fixture;
    make(fixture.log);
    CHECK(fixture.log.remove_compacted() == true);
    CHECK(up(fixture.log, 1, 99) == Numbers{1, 2, 3, 8, 9, 10, 11, 12, 13, 14});
    CHECK(fixture.log.remove_compacted() == true);
    CHECK(fixture.log.remove_compacted() == false);
    CHECK(up(fixture.log, 1, 99) == kRest);
    CHECK(down(fixture.log, 1, 99) == Numbers{14, 13, 12, 11, 3, 2, 1});
    // From before, from within, to within; nothing is left of what lies in a range alone.
    CHECK(up(fixture.log, 3, 9) == Numbers{3});
    CHECK(up(fixture.log, 6, 12) == Numbers{11, 12});
    CHECK(up(fixture.log, 8, 11) == Numbers{11});
    CHECK(up(fixture.log, 11, 11) == Numbers{11});
    CHECK(up(fixture.log, 5, 9).empty());
    CHECK(down(fixture.log, 3, 9) == Numbers{3});
    CHECK(down(fixture.log, 6, 12) == Numbers{12, 11});
    CHECK(down(fixture.log, 5, 9).empty());
    for (auto const sequence : of_server(fixture.log, 1))
        CHECK((sequence < 4 || sequence > 10));
    CHECK(of_server(fixture.log, 2).back() == 11);
    CHECK(append_simple(fixture.log, 1) == "");
    CHECK(up(fixture.log, 13, 99) == Numbers{13, 14, 15});
}

TEST_CASE("compacted: the next start finishes what the one before it began (2.3)") {
    TemporaryDirectory directory;
    make(*open_log(directory.path()).log);
    {
        auto const opening = open_log(directory.path());
        CHECK(up(*opening.log, 1, 99) == kWhole);
        CHECK(opening.log->remove_compacted() == true);
    }
    {
        auto const opening = open_log(directory.path());
        CHECK(opening.log->remove_compacted() == true);
        CHECK(opening.log->remove_compacted() == false);
    }
    auto const opening = open_log(directory.path());
    CHECK(opening.log->remove_compacted() == false);
    CHECK(up(*opening.log, 1, 99) == kRest);
    CHECK(opening.log->compacted_until() == Sequence{10});
}

TEST_CASE("compacted: a reader beside the writer steps over it, refreshed or not (2.3)") {
    OnDisk fixture;
    make(fixture.log);
    auto const before = RocksDbReader::open(fixture.directory.path()).value();
    remove_all(fixture.log);
    auto const after = RocksDbReader::open(fixture.directory.path()).value();
    CHECK(up(*before, 1, 99) == kWhole);
    CHECK(up(*after, 1, 99) == kRest);
    CHECK(down(*after, 1, 99) == Numbers{14, 13, 12, 11, 3, 2, 1});
    REQUIRE(before->refresh());
    CHECK(up(*before, 1, 99) == kRest);
    CHECK(before->range_of({7}).value()->first == Sequence{4});
    CHECK(before->range_of({8}).value()->last == Sequence{10});
    CHECK_FALSE(before->range_of({11}).value());
}

TEST_CASE("compacted: another record that is missing is damage, before a range and within (2.3)") {
    TemporaryDirectory directory;
    {
        auto const opening = open_log(directory.path());
        make(*opening.log);
        remove_all(*opening.log);
    }
    auto const error = [&] {
        auto const log = open_log(directory.path());
        return log.log ? read_all(*log.log).second : log.why;
    };
    CHECK(error() == "");
    auto const bytes = raw_get(directory.path(), 11);
    raw_put(directory.path(), 11, std::nullopt);
    CHECK(error() == "event 11: its record is missing");
    raw_put(directory.path(), 11, bytes);
    CHECK(error() == "");
    // What precedes the range is another record than the one it was cut off behind.
    auto const before = raw_get(directory.path(), 3);
    raw_put(directory.path(), 3, bytes);
    CHECK(error().find("event 3") != std::string::npos);
    raw_put(directory.path(), 3, before);
    // The event that names the range is gone: then its numbers are, too.
    raw_put(directory.path(), 13, std::nullopt);
    CHECK(error() == "event 13: its record is missing");
}

TEST_CASE("compacted: a range that names other events than heartbeats deletes nothing (2.3)") {
    OnDisk fixture;
    REQUIRE(append_simple(fixture.log, 9) == "");
    auto event = simple_event(10);
    event.payload = range_of(fixture.log, 4, 7);
    append(fixture.log, event);
    auto const removed = fixture.log.remove_compacted();
    REQUIRE_FALSE(removed);
    CHECK(removed.error().code == ErrorCode::Corrupt);
    CHECK(removed.error().detail.find("event 4") != std::string::npos);
    CHECK(up(fixture.log, 1, 99).size() == 10);
}

TEST_CASE("compacted: a range with another hash than its last record's deletes nothing (2.3)") {
    OnDisk fixture;
    REQUIRE(append_simple(fixture.log, 3) == "");
    for (std::uint64_t i = 4; i <= 8; ++i)
        append(fixture.log, heartbeat(i, 1));
    auto event = simple_event(9);
    auto range = range_of(fixture.log, 4, 6);
    range.last_hash[0] ^= 1;
    event.payload = range;
    append(fixture.log, event);
    CHECK_FALSE(fixture.log.remove_compacted());
    CHECK(up(fixture.log, 1, 99).size() == 9);
}

TEST_CASE("compacted: the witness is on disk before anything is deleted (2.3)") {
    OnDisk fixture;
    make(fixture.log);
    CHECK(read_witness(SideFiles(fixture.directory.path())).value()->sequence < Sequence{14});
    CHECK(fixture.log.remove_compacted() == true);
    CHECK(read_witness(SideFiles(fixture.directory.path())).value()->sequence == Sequence{14});
}

TEST_CASE("compacted: an import has the ranges of the log it was made of (2.3, 2.4)") {
    for (int removed = 0; removed <= 2; ++removed) {
        CAPTURE(removed);
        OnDisk fixture;
        make(fixture.log);
        for (int i = 0; i < removed; ++i)
            CHECK(fixture.log.remove_compacted() == true);
        TemporaryDirectory place;
        auto const data = place.path() / "copy";
        {
            std::vector<std::vector<std::uint8_t>> records;
            REQUIRE(fixture.log.read({1}, {99}, [&](StoredEvent const& stored) {
                records.emplace_back(stored.bytes.begin(), stored.bytes.end());
                return true;
            }));
            auto const id = decode(records.front())->previous;
            auto const import = LogImport::begin(data, id, 1).value();
            for (auto const& record : records)
                REQUIRE(import->add(record));
            auto const done = import->finish(fixture.log.head());
            REQUIRE_MESSAGE(done, (done ? "" : done.error().detail));
        }
        auto const opening = open_log(data);
        REQUIRE_MESSAGE(opening.log, opening.why);
        CHECK(up(*opening.log, 1, 99) == up(fixture.log, 1, 99));
        CHECK(opening.log->compacted_until() == Sequence{10});
        for (int i = removed; i < 2; ++i)
            CHECK(opening.log->remove_compacted() == true);
        CHECK(opening.log->remove_compacted() == false);
        CHECK(up(*opening.log, 1, 99) == kRest);
    }
}

#ifdef CPM_FAULT_POINTS

TEST_CASE("child: compacts a log away" * doctest::skip()) {
    char const* const directory = std::getenv("CPM_TEST_DIRECTORY");
    REQUIRE_MESSAGE(directory, "run by another case only");
    auto const opening = open_log(directory);
    REQUIRE_MESSAGE(opening.log, opening.why);
    make(*opening.log);
    remove_all(*opening.log);
}

TEST_CASE("compacted: killed at any step it is whole, and the next start finishes it (2.3)") {
    // Appends: 3 events and 8 heartbeats, one at a time, but the first three; then 12, 13 and 14.
    for (char const* fault :
         {"append:11",
          "sync:11",
          "append:12",
          "sync:12",
          "compact:1",
          "compacted:1",
          "compact:2",
          "compacted:2"}) {
        CAPTURE(fault);
        TemporaryDirectory directory;
        auto const child = ::fork();
        if (child == 0) {
            ::setenv("CPM_TEST_DIRECTORY", directory.path().c_str(), 1);
            ::setenv("CPM_FAULT", fault, 1);
            ::execl(
                "/proc/self/exe",
                "test",
                "--test-case=child: compacts a log away",
                "--no-skip",
                "--minimal",
                nullptr
            );
            ::_exit(127);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFSIGNALED(status));
        CHECK(WTERMSIG(status) == SIGKILL);

        auto const opening = open_log(directory.path());
        REQUIRE_MESSAGE(opening.log, opening.why);
        auto const head = opening.log->head().sequence.value;
        CHECK(head >= 12);
        auto const until = opening.log->compacted_until().value().value;
        CHECK(until == (head == 12 ? 0u : head == 13 ? 7u : 10u));
        CHECK(down(*opening.log, 1, 99).size() == up(*opening.log, 1, 99).size());
        remove_all(*opening.log);
        Numbers expected{1, 2, 3};
        for (auto i = std::max<std::uint64_t>(until + 1, 4); i <= head; ++i)
            expected.push_back(i);
        CHECK(up(*opening.log, 1, 99) == expected);
        CHECK(append_simple(*opening.log, 1) == "");
    }
}

#endif
