// What stands against an OFF (HTTP 3.2, "Guards"): every combination of what is so and what was
// said, against rules written a second time here.
#include "core/evolve.hpp"
#include "core/guards.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace cpm::core;
using namespace std::chrono_literals;
using Password = StepUp::Password;

namespace {

Server server_named(std::string name, std::vector<std::string> tags = {}) {
    Server server;
    server.id = ServerId{1};
    server.config.name = std::move(name);
    server.config.tags = std::move(tags);
    return server;
}

/// Servers of the tag "gpu": the first `on` wanted ON, the others OFF and silent.
Fleet gpu_fleet(unsigned on, unsigned off, std::uint32_t least) {
    Fleet fleet;
    fleet.settings.min_on = {{"gpu", least}};
    for (unsigned i = 0; i < on + off; ++i) {
        auto server = server_named("n" + std::to_string(i), {"rack1", "gpu"});
        server.id = ServerId{i + 1};
        server.state.power = i < on ? PowerStatus::On : PowerStatus::Off;
        fleet.servers[server.id] = server;
    }
    return fleet;
}

std::string word(Result<void> const& result) {
    if (result)
        return "fine";
    CHECK(result.error().code == ErrorCode::Confirm);
    REQUIRE(result.error().fields.size() == 1);
    return result.error().fields[0].field;
}

constexpr bool kBoth[] = {false, true};

} // namespace

TEST_CASE("guards: the first that stands refuses, and only what confirms it lifts it (3.2)") {
    int refused = 0;
    for (bool set_aside : kBoth)
        for (auto own : {OwnHost::No, OwnHost::Yes, OwnHost::Unknown})
            for (bool include : kBoth)
                for (bool is_protected : kBoth)
                    for (bool named : kBoth)
                        for (bool bulk : kBoth)
                            for (bool is_short : kBoth) {
                                auto server = server_named("rack1-node3");
                                server.state.set_aside = set_aside;
                                server.config.is_protected = is_protected;
                                PowerGuards guards{own, include, named, bulk, {}};
                                if (is_short)
                                    guards.shortage = Shortage{"gpu", 2, 1};
                                std::optional<ErrorCode> expected;
                                if (is_short)
                                    expected = ErrorCode::MinOn;
                                if (is_protected && !(named && !bulk))
                                    expected = ErrorCode::Protected;
                                if (own != OwnHost::No && !include)
                                    expected = ErrorCode::OwnHost;
                                if (set_aside)
                                    expected = ErrorCode::SetAside;
                                auto const error = guard_off(server, guards);
                                CHECK(error.has_value() == expected.has_value());
                                if (!error || !expected)
                                    continue;
                                CHECK(error->code == *expected);
                                CHECK(error->detail.find("rack1-node3") != std::string::npos);
                                ++refused;
                            }
    CHECK(refused == 172); // of 192: twenty combinations let an OFF through
}

TEST_CASE("guards: a refusal names the field that would confirm it, if one would (3.2)") {
    auto server = server_named("n");
    for (auto const own : {OwnHost::Yes, OwnHost::Unknown})
        CHECK(guard_off(server, {.own_host = own})->fields.at(0).field == "include_manager");
    server.config.is_protected = true;
    CHECK(guard_off(server, {})->fields.at(0).field == "confirm");
    CHECK(guard_off(server, {.in_bulk = true})->fields.empty());
    server.state.set_aside = true;
    CHECK(guard_off(server, {})->fields.empty());
}

TEST_CASE("guards: min_on counts the servers of a tag that are wanted ON (3.2)") {
    for (unsigned on = 1; on <= 4; ++on)
        for (std::uint32_t least = 1; least <= 4; ++least) {
            CAPTURE(on);
            CAPTURE(least);
            auto const fleet = gpu_fleet(on, 2, least);
            auto const shortage = WantedOn(fleet).shortage(*fleet.find(ServerId{1}));
            CHECK(shortage.has_value() == (on <= least));
            if (shortage)
                CHECK(*shortage == Shortage{"gpu", least, on - 1});
        }
}

TEST_CASE("guards: min_on holds for one that reports though it is not wanted ON (3.2)") {
    auto fleet = gpu_fleet(1, 1, 2);
    auto& other = fleet.servers[ServerId{2}];
    CHECK_FALSE(WantedOn(fleet).shortage(other)); // silent: nothing is taken away
    other.state.current = HeartbeatStatus::On;
    CHECK(WantedOn(fleet).shortage(other) == Shortage{"gpu", 2, 1});
    other.state.current = HeartbeatStatus::Stopping;
    CHECK(WantedOn(fleet).shortage(other) == Shortage{"gpu", 2, 1});
    fleet.settings.min_on = {{"gpu", 1}};
    CHECK_FALSE(WantedOn(fleet).shortage(other)); // the other one stays
}

TEST_CASE("guards: min_on is asked of each tag, and of no other (3.2)") {
    auto fleet = gpu_fleet(3, 0, 1);
    fleet.settings.min_on = {{"rack1", 3}, {"gpu", 1}, {"db", 9}};
    CHECK(WantedOn(fleet).shortage(*fleet.find(ServerId{1})) == Shortage{"rack1", 3, 2});
    fleet.settings.min_on = {{"db", 9}};
    CHECK_FALSE(WantedOn(fleet).shortage(*fleet.find(ServerId{1})));
    fleet.settings.min_on = {};
    CHECK_FALSE(WantedOn(fleet).shortage(*fleet.find(ServerId{1})));
}

TEST_CASE("guards: a tag that was written twice makes no two servers of one for min_on (3.2)") {
    auto fleet = gpu_fleet(2, 0, 2);
    fleet.servers[ServerId{1}].config.tags = {"gpu", "rack1", "gpu"};
    for (std::uint64_t id : {1, 2})
        CHECK(WantedOn(fleet).shortage(*fleet.find(ServerId{id})) == Shortage{"gpu", 2, 1});
    fleet.settings.min_on = {{"gpu", 1}};
    WantedOn wanted(fleet);
    wanted.remove(*fleet.find(ServerId{1}));
    CHECK(wanted.shortage(*fleet.find(ServerId{2})) == Shortage{"gpu", 1, 0});
}

TEST_CASE("guards: of many at once each one that goes counts for the next (3.2)") {
    auto const fleet = gpu_fleet(4, 0, 2);
    WantedOn wanted(fleet);
    std::vector<bool> refused;
    for (std::uint64_t id = 1; id <= 4; ++id) {
        auto const& server = *fleet.find(ServerId{id});
        refused.push_back(wanted.shortage(server).has_value());
        if (!refused.back())
            wanted.remove(server);
    }
    CHECK(refused == std::vector{false, false, true, true});
}

TEST_CASE("guards: OFF of many: more than confirm_above must be confirmed (3.2)") {
    Settings settings;
    for (std::uint32_t above : {0U, 1U, 5U})
        for (std::size_t servers : {1U, 2U, 5U, 6U})
            for (bool by_session : kBoth)
                for (auto password : {Password::NotGiven, Password::Right, Password::Wrong})
                    for (auto since : {-1ms, 0ms, 299'999ms, 300'000ms})
                        for (int count : {-1, 0, 2, 6}) {
                            settings.confirm_above = above;
                            StepUp step_up{by_session, password, {}, {}};
                            if (by_session)
                                step_up.since_password = since;
                            if (count >= 0)
                                step_up.count = static_cast<std::uint64_t>(count);
                            CAPTURE(above);
                            CAPTURE(servers);
                            CAPTURE(by_session);
                            CAPTURE(since.count());
                            CAPTURE(count);
                            bool const many = servers > above;
                            bool const fresh = since >= 0ms && since < 5min;
                            bool const right = count == static_cast<int>(servers);
                            std::string expected = "fine";
                            if (count >= 0 && !right)
                                expected = "confirm_count";
                            else if (by_session && password == Password::Wrong)
                                expected = "password";
                            else if (many && by_session && password == Password::NotGiven && !fresh)
                                expected = "password";
                            else if (many && !by_session && count < 0)
                                expected = "confirm_count";
                            CHECK(word(check_bulk_off(servers, settings, step_up)) == expected);
                        }
}

TEST_CASE("guards: a session that never gave its password gives it now (3.2)") {
    CHECK(word(check_password({.by_session = true}, "this")) == "password");
    CHECK(word(check_password({.by_session = false}, "this")) == "fine");
}

TEST_CASE("fleet: a withdrawn request leaves the author and time of the one before it (1.6)") {
    Fleet fleet;
    std::uint64_t sequence = 0;
    auto const happens = [&](Payload payload, std::string by) {
        Event event;
        event.sequence = event.decision = Sequence{++sequence};
        event.at = WallTime{std::chrono::seconds{sequence}};
        event.server = ServerId{1};
        event.actor = {ActorKind::User, std::move(by)};
        event.payload = std::move(payload);
        evolve(fleet, event);
    };
    ServerConfig config;
    config.name = "n";
    happens(ServerAdded{config}, "alice");
    happens(PowerRequested{PowerStatus::On, 60s}, "alice");
    auto const& server = *fleet.find(ServerId{1});
    auto const before = server.state;
    happens(PowerRequested{PowerStatus::Off, 90s}, "mallory");
    CHECK(server.requested_by.name == "mallory");
    PowerWithdrawn withdrawn{
        Sequence{3}, before.power, before.previous, before.current, before.request};
    happens(withdrawn, "");
    CHECK(server.requested_by.name == "alice");
    CHECK(server.requested_at == WallTime{2s});
    CHECK(server.standby == 60s);
    CHECK(server.state.request->sequence == Sequence{2});
}
