#include "tests/eventstore/history.hpp"

#include "tests/eventstore/events.hpp"

#include <vector>

using namespace cpm::core;
using namespace cpm::eventstore;

namespace {

constexpr std::string_view kDamage = "damage: ";

// "event 12: …"
bool names_event(std::string const& error) {
    auto const colon = error.find(": ");
    return error.starts_with("event ") && colon > 6 && colon != error.npos &&
           error.find_first_not_of("0123456789", 6) == colon;
}

} // namespace

People people_of(std::uint64_t events) {
    People people;
    for (std::uint64_t n = 10; n <= events; n += 10)
        people["user_" + std::to_string(n)] = "since event " + std::to_string(n);
    return people;
}

std::string append_history(RocksDbLog& log, std::uint64_t count) {
    auto const after = log.head().sequence;
    auto const before = people_of(after.value);
    std::vector<RecordChange> changes;
    for (auto const& [key, value] : people_of(after.value + count))
        if (!before.contains(key))
            changes.push_back({Table::Accounts, key, value});
    auto const appended = log.append(after, simple_events(after.value, count), changes);
    return appended ? "" : appended.error().detail;
}

std::string judge_history(RocksDbLog const& log, std::uint64_t events) {
    auto const [found, error] = read_all(log);
    if (!error.empty())
        return names_event(error) ? std::string(kDamage) + error : "no sequence is named: " + error;
    auto const expected = simple_events(0, events);
    if (found != expected)
        return "its history has " + std::to_string(found.size()) + " events";
    for (std::uint64_t server = 1; server <= 3; ++server) {
        std::vector<Event> of_server;
        auto const read = log.read_server({server}, {1}, {events}, [&](StoredEvent const& stored) {
            of_server.push_back(stored.event);
            return true;
        });
        if (!read)
            return std::string(kDamage) + read.error().detail;
        std::vector<Event> theirs;
        for (auto const& event : expected)
            if (event.server.value == server)
                theirs.push_back(event);
        if (of_server != theirs)
            return "the index of server " + std::to_string(server) + " is not whole";
    }
    People people;
    auto const read =
        log.read_table(Table::Accounts, [&](auto key, auto value) { people.emplace(key, value); });
    if (!read)
        return std::string(kDamage) + read.error().detail;
    return people == people_of(events) ? "" : "its people are " + std::to_string(people.size());
}
