#include "eventstore/memory_log.hpp"
#include "http/event_search.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cpm;
using namespace cpm::http;

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

constexpr core::ServerId kBusy{0xb};
constexpr core::ServerId kQuiet{0xa};

/// `count` events: SignedOut of nobody, but every tenth is a loss of the busy server, and number 7
/// and the last one are losses of the quiet one.
void fill(eventstore::MemoryLog& log, std::uint64_t count) {
    std::vector<core::Event> events;
    for (std::uint64_t i = 1; i <= count; ++i) {
        core::Event event;
        event.sequence = event.decision = {i};
        event.payload = core::SignedOut{"alice"};
        if (i % 10 == 0) {
            event.server = kBusy;
            event.payload = core::HeartbeatLost{};
        }
        if (i == 7 || i == count) {
            event.server = kQuiet;
            event.payload = core::HeartbeatLost{};
        }
        events.push_back(std::move(event));
    }
    REQUIRE(log.append({}, events, {}));
}

struct Found {
    std::vector<std::uint64_t> sequences;
    std::optional<std::string> next;
};

Found search(eventstore::MemoryLog const& log, Query query) {
    Request request;
    request.query = std::move(query);
    auto const read = read_event_query(request);
    REQUIRE(read);
    EventSearch search(log, *read);
    while (!search.is_done())
        REQUIRE(search.step());
    Found found;
    for (auto const& item : search.take_items())
        found.sequences.push_back(item.at("sequence").to_number<std::uint64_t>());
    found.next = search.next_cursor();
    return found;
}

/// All pages of a query, and that the last one says so.
std::vector<std::uint64_t> search_all(eventstore::MemoryLog const& log, Query const& query) {
    std::vector<std::uint64_t> all;
    std::optional<std::string> cursor;
    for (int pages = 0; pages < 1000; ++pages) {
        auto page_query = query;
        if (cursor)
            page_query.emplace_back("cursor", *cursor);
        auto const found = search(log, page_query);
        all.insert(all.end(), found.sequences.begin(), found.sequences.end());
        if (!found.next)
            return all;
        cursor = found.next;
    }
    FAIL("the pages do not end");
    return all;
}

std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> all;
    for (auto i = first; i <= last; ++i)
        all.push_back(i);
    return all;
}

std::vector<std::uint64_t> reversed(std::vector<std::uint64_t> all) {
    return {all.rbegin(), all.rend()};
}

} // namespace

TEST_CASE("events: oldest first after a sequence, newest first before one alone (3.2)") {
    eventstore::MemoryLog log;
    fill(log, 50);
    CHECK(search(log, {}).sequences == range(1, 50));
    CHECK(search(log, {{"after", "48"}}).sequences == range(49, 50));
    CHECK(search(log, {{"before", "4"}}).sequences == std::vector<std::uint64_t>{3, 2, 1});
    CHECK(search(log, {{"after", "2"}, {"before", "5"}}).sequences == range(3, 4));
    CHECK(
        search(log, {{"before", "1000"}, {"limit", "2"}}).sequences ==
        std::vector<std::uint64_t>{50, 49}
    );
    CHECK(search(log, {{"after", "50"}}).sequences.empty());
    CHECK(search(log, {{"after", "18446744073709551615"}}).sequences.empty());
    CHECK(search(log, {{"before", "1"}}).sequences.empty());
    CHECK_FALSE(search(log, {{"after", "50"}}).next);
}

TEST_CASE("events: pages of any size show every event once, in order, and then end (3.1)") {
    eventstore::MemoryLog log;
    fill(log, 2500); // more than two windows
    for (auto const* limit : {"1000", "999", "37"}) {
        CHECK(search_all(log, {{"limit", limit}}) == range(1, 2500));
        CHECK(search_all(log, {{"limit", limit}, {"before", "2401"}}) == reversed(range(1, 2400)));
        CHECK(
            search_all(log, {{"limit", limit}, {"after", "99"}, {"before", "2301"}}) ==
            range(100, 2300)
        );
    }
}

TEST_CASE("events: of one server, of one family, of one type, in both directions (3.2)") {
    eventstore::MemoryLog log;
    fill(log, 2501);
    std::vector<std::uint64_t> busy;
    for (std::uint64_t i = 10; i <= 2500; i += 10)
        busy.push_back(i);
    auto const of_busy = core::to_string(kBusy);
    for (auto const* limit : {"1000", "7"}) {
        CHECK(search_all(log, {{"server", of_busy}, {"limit", limit}}) == busy);
        CHECK(
            search_all(log, {{"server", of_busy}, {"before", "9999"}, {"limit", limit}}) ==
            reversed(busy)
        );
    }
    CHECK(
        search_all(log, {{"server", core::to_string(kQuiet)}, {"before", "9999"}}) ==
        std::vector<std::uint64_t>{2501, 7}
    );
    CHECK(
        search_all(log, {{"type", "HeartbeatLost"}, {"server", of_busy}, {"after", "2480"}}) ==
        std::vector<std::uint64_t>{2490, 2500}
    );
    CHECK(
        search_all(log, {{"family", "heartbeats"}, {"before", "21"}}) ==
        std::vector<std::uint64_t>{20, 10, 7}
    );
    CHECK(search_all(log, {{"family", "power"}}).empty());
    CHECK(search_all(log, {{"type", "SignedOut"}, {"family", "heartbeats"}}).empty());
}

TEST_CASE("events: a search that finds little stops after its windows and says where to go on") {
    eventstore::MemoryLog log;
    auto const most = EventSearch::kWindow * EventSearch::kMaxWindows;
    fill(log, most + 10);
    auto const first = search(log, {{"type", "ServerAdded"}});
    CHECK(first.sequences.empty());
    CHECK(first.next);
    CHECK(search_all(log, {{"type", "ServerAdded"}}).empty());
    // The index finds the two of the quiet server without looking at each event between them.
    auto const quiet = search(log, {{"server", core::to_string(kQuiet)}});
    CHECK(quiet.sequences == std::vector<std::uint64_t>{7, most + 10});
    CHECK_FALSE(quiet.next);
}

TEST_CASE("events: a query that cannot be read names its parameter") {
    for (auto const& [name, value] : Query{
             {"server", "srv_1"},
             {"family", "Power"},
             {"type", "PowerRequest"},
             {"after", "-1"},
             {"before", "0"},
             {"limit", "1001"},
             {"cursor", "!"},
             {"cursor", make_cursor("before 5")}, // of the other direction
             {"server_id", "srv_000000000000000a"},
         }) {
        Request request;
        request.query = {{name, value}};
        auto const read = read_event_query(request);
        REQUIRE_FALSE(read);
        CHECK(read.error().fields.at(0).field == name);
    }
}
