// Records changed, dropped or swapped behind the log's back are found, and named (event log 2.2,
// "Chain").
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;

namespace {

constexpr char kBroken[] =
    "it does not follow the record before it: one of the two was changed, or another was dropped "
    "between them";

struct TenEvents {
    TemporaryDirectory directory;
    TenEvents() { make_log(directory.path(), 10); }

    // How far a replay from the start comes, and why it ends there.
    std::pair<std::size_t, std::string> replay() {
        auto const opening = open_log(directory.path());
        if (!opening.log)
            return {0, "does not open: " + opening.why};
        auto const [events, error] = read_all(*opening.log);
        return {events.size(), error};
    }
};

using Replay = std::pair<std::size_t, std::string>;

} // namespace

TEST_CASE_FIXTURE(TenEvents, "chain: an untouched log replays whole (2.2)") {
    CHECK(replay() == Replay{10, ""});
}

TEST_CASE_FIXTURE(TenEvents, "chain: one changed letter in a record is found (2.2)") {
    auto bytes = raw_get(directory.path(), 4);
    auto const at = bytes.find("event 4");
    REQUIRE(at != bytes.npos);
    bytes[at + 6] = '9'; // still a record, and one that decodes
    raw_put(directory.path(), 4, bytes);
    CHECK(replay() == Replay{4, std::string("event 5: ") + kBroken});
}

TEST_CASE_FIXTURE(TenEvents, "chain: every single flipped bit of a record is found (2.2)") {
    auto const good = raw_get(directory.path(), 4);
    for (std::size_t bit = 0; bit < 8 * good.size(); bit += 37) {
        auto bytes = good;
        bytes[bit / 8] = char(bytes[bit / 8] ^ 1 << bit % 8);
        raw_put(directory.path(), 4, bytes);
        auto const [count, why] = replay();
        CHECK_MESSAGE(count <= 4, "bit ", bit);
        CHECK_MESSAGE((why.starts_with("event 4: ") || why.starts_with("event 5: ")), why);
    }
    raw_put(directory.path(), 4, good);
    CHECK(replay() == Replay{10, ""});
}

TEST_CASE_FIXTURE(TenEvents, "chain: a dropped record is found (2.2)") {
    raw_put(directory.path(), 7, std::nullopt);
    CHECK(replay() == Replay{6, "event 7: its record is missing"});
}

TEST_CASE_FIXTURE(TenEvents, "chain: swapped records are found (2.2)") {
    auto const third = raw_get(directory.path(), 3);
    auto const fourth = raw_get(directory.path(), 4);
    raw_put(directory.path(), 3, fourth);
    raw_put(directory.path(), 4, third);
    CHECK(replay() == Replay{2, "event 3: its record is that of event 4"});
}

TEST_CASE_FIXTURE(TenEvents, "chain: a record of another log is found (2.2)") {
    TemporaryDirectory other;
    make_log(other.path(), 10);
    raw_put(directory.path(), 1, raw_get(other.path(), 1));
    CHECK(replay() == Replay{0, std::string("event 1: ") + kBroken});
}

TEST_CASE_FIXTURE(TenEvents, "chain: a record that is none is found, read from either side (2.2)") {
    raw_put(directory.path(), 6, "rubbish");
    CHECK(replay() == Replay{5, "event 6: it is no record of this log's schema"});
    auto const opening = open_log(directory.path());
    std::size_t seen = 0;
    auto const count = [&](auto const&) { return ++seen > 0; };
    auto const back = opening.log->read_back({1}, {10}, count);
    REQUIRE_FALSE(back);
    CHECK(back.error().detail == "event 6: it is no record of this log's schema");
    CHECK(seen == 4);
    auto const by_server = opening.log->read_server({3}, {1}, {10}, count); // events 3, 6 and 9
    REQUIRE_FALSE(by_server);
    CHECK(by_server.error().code == ErrorCode::Corrupt);
}

TEST_CASE_FIXTURE(
    TenEvents, "chain: reading may begin in the middle, and still checks its first step (2.2)"
) {
    raw_put(directory.path(), 4, raw_get(directory.path(), 4) + std::string(4, '\0'));
    auto const opening = open_log(directory.path());
    auto const [events, error] = read_all(*opening.log, 5, 10);
    CHECK(events.empty());
    CHECK(error == std::string("event 5: ") + kBroken);
    CHECK(read_all(*opening.log, 6, 10).first.size() == 5);
}
