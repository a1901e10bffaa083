// What every log promises (event log 2.2), asked of the one in memory and of the one on disk.
#include "eventstore/hash.hpp"
#include "eventstore/memory_log.hpp"
#include "eventstore/rocksdb_log.hpp"
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

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

std::vector<std::uint64_t> sequences(std::vector<Event> const& events) {
    std::vector<std::uint64_t> numbers;
    for (auto const& event : events)
        numbers.push_back(event.sequence.value);
    return numbers;
}

using Numbers = std::vector<std::uint64_t>;

} // namespace

#define FOR_EACH_LOG(name) TEST_CASE_TEMPLATE(name, Fixture, InMemory, OnDisk)

FOR_EACH_LOG("log: a new one is empty, in epoch 1, and each has another id (2.2)") {
    Fixture one;
    Fixture other;
    CHECK(one.log.head().epoch == 1);
    CHECK(one.log.head().sequence == Sequence{0});
    CHECK(one.log.head().hash != other.log.head().hash);
    CHECK(read_all(one.log).first.empty());
    CHECK(read_all(one.log).second == "");
    CHECK_FALSE(one.log.unconfirmed_from());
    CHECK_FALSE(one.log.rolled_back());
}

FOR_EACH_LOG("log: what was appended is read back, field by field, of every type (2.1)") {
    Fixture fixture;
    auto const events = one_of_each();
    REQUIRE(fixture.log.append({0}, events, {}));
    CHECK(fixture.log.head().sequence == Sequence{36});
    auto const [found, error] = read_all(fixture.log);
    CHECK(error == "");
    REQUIRE(found.size() == 36);
    for (std::size_t i = 0; i < 36; ++i)
        CHECK_MESSAGE(found[i] == events[i], "event ", i + 1);
}

FOR_EACH_LOG("log: a record's hash is that of its stored bytes, the head's that of the last (2.2)"
) {
    Fixture fixture;
    REQUIRE(append_simple(fixture.log, 3) == "");
    Hash last{};
    REQUIRE(fixture.log.read({1}, {3}, [&](StoredEvent const& stored) {
        CHECK(stored.hash == sha256(stored.bytes));
        last = stored.hash;
        return true;
    }));
    CHECK(fixture.log.head().hash == last);
}

FOR_EACH_LOG("log: a range is read up, down and by server; the visitor can stop it") {
    Fixture fixture;
    REQUIRE(append_simple(fixture.log, 9) == "");
    CHECK(sequences(read_all(fixture.log, 4, 6).first) == Numbers{4, 5, 6});
    CHECK(sequences(read_all(fixture.log, 0, 2).first) == Numbers{1, 2});
    CHECK(sequences(read_all(fixture.log, 8, 100).first) == Numbers{8, 9});
    CHECK(sequences(read_all(fixture.log, 10, 100).first).empty());
    CHECK(sequences(read_all(fixture.log, 6, 5).first).empty());

    Numbers seen;
    auto const collect = [&](StoredEvent const& stored) {
        seen.push_back(stored.event.sequence.value);
        return true;
    };
    REQUIRE(fixture.log.read_back({3}, {5}, collect));
    CHECK(seen == Numbers{5, 4, 3});
    seen.clear();
    REQUIRE(fixture.log.read_back({0}, {100}, collect));
    CHECK(seen == Numbers{9, 8, 7, 6, 5, 4, 3, 2, 1});
    seen.clear();
    REQUIRE(fixture.log.read_back({10}, {100}, collect));
    CHECK(seen.empty());
    REQUIRE(fixture.log.read_server({2}, {3}, {8}, collect));
    CHECK(seen == Numbers{5, 8});
    seen.clear();
    REQUIRE(fixture.log.read_server({2}, {0}, {100}, collect));
    CHECK(seen == Numbers{2, 5, 8});
    seen.clear();
    REQUIRE(fixture.log.read_server({4}, {0}, {100}, collect));
    CHECK(seen.empty());

    auto const two = [&](StoredEvent const& stored) {
        seen.push_back(stored.event.sequence.value);
        return seen.size() < 2;
    };
    REQUIRE(fixture.log.read({3}, {9}, two));
    CHECK(seen == Numbers{3, 4});
    seen.clear();
    REQUIRE(fixture.log.read_back({3}, {9}, two));
    CHECK(seen == Numbers{9, 8});
    seen.clear();
    REQUIRE(fixture.log.read_server({1}, {1}, {9}, two));
    CHECK(seen == Numbers{1, 4});
}

FOR_EACH_LOG("log: the index of the fleet has the events of no server, and servers' names (2.2)") {
    Fixture fixture;
    std::vector events{
        simple_event(1, 0), simple_event(2, 7), simple_event(3, 7), simple_event(4, 7)};
    events[1].payload = cpm::core::ServerAdded{};
    events[3].payload = cpm::core::ServerUpdated{};
    REQUIRE(fixture.log.append({0}, events, {}));
    auto const listed = [&](std::uint64_t server) {
        Numbers seen;
        REQUIRE(fixture.log.read_server({server}, {1}, {9}, [&](StoredEvent const& stored) {
            seen.push_back(stored.event.sequence.value);
            return true;
        }));
        return seen;
    };
    CHECK(listed(0) == Numbers{1, 2, 4});
    CHECK(listed(7) == Numbers{2, 3, 4});
}

FOR_EACH_LOG("log: an append that follows another sequence is fenced and changes nothing (2.2)") {
    Fixture fixture;
    REQUIRE(append_simple(fixture.log, 2) == "");
    auto const head = fixture.log.head();
    for (std::uint64_t const after : {0, 1, 3}) {
        auto const done = fixture.log.append({after}, simple_events(after, 1), {});
        REQUIRE_FALSE(done);
        CHECK(done.error().code == ErrorCode::Fenced);
    }
    RecordChange const change{Table::Accounts, "a", "b"};
    CHECK_FALSE(fixture.log.append({1}, {}, std::span(&change, 1)));
    CHECK(fixture.log.head() == head);
    CHECK(append_simple(fixture.log, 1) == "");
}

FOR_EACH_LOG("log: a batch with a gap or an event out of order is refused whole") {
    Fixture fixture;
    for (auto const& numbers : {Numbers{2}, Numbers{1, 3}, Numbers{1, 1}, Numbers{0}}) {
        std::vector<Event> events;
        for (auto const number : numbers)
            events.push_back(simple_event(number));
        auto const done = fixture.log.append({0}, events, {});
        REQUIRE_FALSE(done);
        CHECK(done.error().code == ErrorCode::Validation);
    }
    CHECK(fixture.log.head().sequence == Sequence{0});
    CHECK(read_all(fixture.log).first.empty());
}

FOR_EACH_LOG("log: an event too large for a record is refused, and the log goes on") {
    Fixture fixture;
    auto event = simple_event(1);
    event.payload = ManagerStarted{std::string(70'000, 'x')};
    auto const done = fixture.log.append({0}, std::span(&event, 1), {});
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ErrorCode::Validation);
    CHECK(append_simple(fixture.log, 1) == "");
}

FOR_EACH_LOG("log: an append of nothing does nothing") {
    Fixture fixture;
    auto const head = fixture.log.head();
    CHECK(fixture.log.append({0}, {}, {}));
    CHECK(fixture.log.head() == head);
}

FOR_EACH_LOG("log: tables change with their events, keys in order, each table its own (2.2)") {
    Fixture fixture;
    std::vector<RecordChange> const changes{
        {Table::Accounts, "b", "2"},
        {Table::Accounts, "a", std::string("1\0x", 3)},
        {Table::Idempotency, "a", "3"},
        {Table::Meta, "a", "4"},
        {Table::Accounts, "gone", "5"},
    };
    REQUIRE(fixture.log.append({0}, simple_events(0, 1), changes));
    REQUIRE(fixture.log.append({1}, {}, std::vector<RecordChange>{{Table::Accounts, "gone", {}}}));
    using Rows = std::vector<std::pair<std::string, std::string>>;
    auto const rows = [&](Table table) {
        Rows found;
        REQUIRE(fixture.log.read_table(table, [&](std::string_view key, std::string_view value) {
            found.emplace_back(key, value);
        }));
        return found;
    };
    CHECK(rows(Table::Accounts) == Rows{{"a", std::string("1\0x", 3)}, {"b", "2"}});
    CHECK(rows(Table::Idempotency) == Rows{{"a", "3"}});
    CHECK(rows(Table::Meta) == Rows{{"a", "4"}});
    CHECK(fixture.log.head().sequence == Sequence{1});
}

FOR_EACH_LOG("log: a rollback lasts until it is accepted with a higher epoch (2.2)") {
    Fixture fixture;
    REQUIRE(append_simple(fixture.log, 1) == "");
    REQUIRE(fixture.log.mark_rolled_back("agent srv_1 has seen event 9", 1));
    CHECK(fixture.log.rolled_back() == "agent srv_1 has seen event 9");
    REQUIRE(append_simple(fixture.log, 1) == "");
    CHECK(fixture.log.rolled_back());

    auto accepted = simple_event(3);
    accepted.payload = RollbackAccepted{1};
    auto const same_epoch = fixture.log.append({2}, std::span(&accepted, 1), {});
    REQUIRE_FALSE(same_epoch);
    CHECK(same_epoch.error().code == ErrorCode::Validation);
    CHECK(fixture.log.rolled_back());
    accepted.payload = RollbackAccepted{5};
    REQUIRE(fixture.log.append({2}, std::span(&accepted, 1), {}));
    CHECK(fixture.log.head().epoch == 5);
    CHECK_FALSE(fixture.log.rolled_back());
}

FOR_EACH_LOG("log: a rollback known by a witness of the new epoch outlasts its acceptance (2.2)") {
    Fixture fixture;
    REQUIRE(append_simple(fixture.log, 1) == "");
    REQUIRE(fixture.log.mark_rolled_back("agent srv_1 knows it in epoch 5", 5));
    auto accepted = simple_event(2);
    accepted.payload = RollbackAccepted{5};
    REQUIRE(fixture.log.append({1}, std::span(&accepted, 1), {}));
    CHECK(fixture.log.head().epoch == 5);
    CHECK(fixture.log.rolled_back() == "agent srv_1 knows it in epoch 5");
    accepted.sequence = accepted.decision = {3};
    accepted.payload = RollbackAccepted{6};
    REQUIRE(fixture.log.append({2}, std::span(&accepted, 1), {}));
    CHECK_FALSE(fixture.log.rolled_back());
}

FOR_EACH_LOG("log: what is appended during a read is not part of it") {
    Fixture fixture;
    REQUIRE(append_simple(fixture.log, 2) == "");
    Numbers seen;
    REQUIRE(fixture.log.read({1}, {100}, [&](StoredEvent const& stored) {
        seen.push_back(stored.event.sequence.value);
        CHECK(append_simple(fixture.log, 1) == "");
        return true;
    }));
    CHECK(seen == Numbers{1, 2});
    CHECK(fixture.log.head().sequence == Sequence{4});
}

FOR_EACH_LOG("log: it is read from other threads while one appends") {
    Fixture fixture;
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> faults = 0;
    auto const read_on = [&] {
        std::size_t before = 0;
        while (!stop) {
            auto const [events, error] = read_all(fixture.log);
            bool const whole = events.empty() || events.back().sequence.value == events.size();
            if (!error.empty() || !whole || events.size() < before)
                ++faults;
            before = events.size();
        }
    };
    std::thread one(read_on);
    std::thread other(read_on);
    for (int i = 0; i < 50; ++i)
        if (!append_simple(fixture.log, 4).empty())
            ++faults;
    stop = true;
    one.join();
    other.join();
    CHECK(faults == 0);
    CHECK(fixture.log.head().sequence == Sequence{200});
}
