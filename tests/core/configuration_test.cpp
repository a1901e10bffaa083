// What people set: a server's configuration, the settings, and who is who in the fleet. A fault
// names its field as the API calls it.
#include "core/decide_fleet.hpp"
#include "core/evolve.hpp"
#include "core/server_config.hpp"
#include "core/settings.hpp"
#include "tests/core/scene.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cpm::core;
using namespace std::chrono_literals;

namespace {

MacAddress mac(std::uint8_t last) {
    return {{0x52, 0x54, 0, 0, 0, last}};
}

ServerConfig named(std::string name, std::vector<MacAddress> macs = {}) {
    ServerConfig config;
    config.name = std::move(name);
    config.mac_addresses = std::move(macs);
    return config;
}

std::vector<std::string> faulty_fields(ServerConfig const& config) {
    auto const valid = validate(config);
    std::vector<std::string> fields;
    if (valid)
        return fields;
    CHECK(valid.error().code == ErrorCode::Validation);
    for (auto const& fault : valid.error().fields)
        fields.push_back(fault.field);
    return fields;
}

using Fields = std::vector<std::string>;

constexpr ServerId kFirst{1};
constexpr ServerId kSecond{2};
constexpr ServerId kEmpty{3};

/// "first" has MACs 1 and 2, "second" has 3, "empty" has none.
Fleet three_servers() {
    Fleet fleet;
    std::uint64_t sequence = 0;
    auto const add = [&](ServerId id, ServerConfig config) {
        Event event;
        event.sequence = event.decision = Sequence{++sequence};
        event.server = id;
        event.payload = ServerAdded{std::move(config)};
        evolve(fleet, event);
    };
    add(kFirst, named("first", {mac(1), mac(2)}));
    add(kSecond, named("second", {mac(3)}));
    add(kEmpty, named("empty"));
    return fleet;
}

void happens(Fleet& fleet, ServerId server, Payload payload) {
    Event event;
    event.sequence = event.decision = Sequence{100};
    event.server = server;
    event.payload = std::move(payload);
    evolve(fleet, event);
}

} // namespace

// --- a server's configuration ---

TEST_CASE("config: a name is all a server needs (HTTP 3.2)") {
    CHECK(faulty_fields(named("rack1-node3")).empty());
    CHECK(faulty_fields(ServerConfig{}) == Fields{"name"});
}

TEST_CASE("config: durations are from 1 s to 1 h and 24 h, missed heartbeats 1 to 100 (1.1)") {
    auto config = named("x");
    config.heartbeat_interval = 1s;
    config.standby_time = 1s;
    config.missed_heartbeats = 1;
    CHECK(faulty_fields(config).empty());
    config.heartbeat_interval = 3600s;
    config.standby_time = 86400s;
    config.missed_heartbeats = 100;
    CHECK(faulty_fields(config).empty());

    Fields const all{"heartbeat_interval_seconds", "standby_time_seconds", "missed_heartbeats"};
    config.heartbeat_interval = 0s;
    config.standby_time = 0s;
    config.missed_heartbeats = 0;
    CHECK(faulty_fields(config) == all);
    config.heartbeat_interval = 3601s;
    config.standby_time = 86401s;
    config.missed_heartbeats = 101;
    CHECK(faulty_fields(config) == all);
}

TEST_CASE("config: every faulty field is named, with what was expected (HTTP 3.1)") {
    auto config = named(std::string(201, 'n'), {mac(1), mac(1)});
    config.note = std::string(4001, 'n');
    config.tags = {""};
    config.wake.broadcast_address = "192.0.2.256";
    config.wake.ports = {0};
    config.wake.interface = "an-interface-with-a-long-name";
    auto const valid = validate(config);
    REQUIRE(!valid);
    CHECK(valid.error().detail == "name: must be at most 200 bytes long");
    CHECK(
        faulty_fields(config) ==
        Fields{
            "name",
            "note",
            "tags",
            "mac_addresses",
            "mac_addresses",
            "wake.broadcast_address",
            "wake.ports",
            "wake.interface"}
    );
}

TEST_CASE("config: names and tags are one line of text") {
    CHECK(faulty_fields(named("two\nlines")) == Fields{"name"});
    CHECK(faulty_fields(named("ラック1")).empty());
    auto config = named("x");
    config.tags = {"gpu", "a\tb"};
    CHECK(faulty_fields(config) == Fields{"tags"});
}

TEST_CASE("config: a broadcast address is four numbers up to 255") {
    for (auto const* address : {"192.0.2.255", "255.255.255.255", "10.0.0.0"}) {
        auto config = named("x");
        config.wake.broadcast_address = address;
        CHECK_MESSAGE(faulty_fields(config).empty(), address);
    }
    for (auto const* address :
         {"192.0.2",
          "192.0.2.",
          "192.0.2.1.",
          "192.0.2.1.2",
          "192.0.2.999",
          "a.b.c.d",
          "1.2.3.-4",
          "1.2.3.0004",
          "::1",
          " 1.2.3.4"}) {
        auto config = named("x");
        config.wake.broadcast_address = address;
        CHECK_MESSAGE(faulty_fields(config) == Fields{"wake.broadcast_address"}, address);
    }
}

TEST_CASE("config: off methods by name") {
    CHECK(parse_off_method("poweroff") == OffMethod::PowerOff);
    CHECK(parse_off_method("suspend") == OffMethod::Suspend);
    CHECK(parse_off_method("hibernate") == OffMethod::Hibernate);
    CHECK(!parse_off_method("reboot"));
}

// --- settings ---

TEST_CASE("settings: the defaults (1.1)") {
    std::vector<SettingChange> const expected{
        {"heartbeat_interval_seconds", "10"},
        {"missed_heartbeats", "3"},
        {"standby_time_seconds", "300"},
        {"release_standby_when_settled", "false"},
        {"wake_stagger_ms", "200"},
        {"agents_over_plain_http", "false"},
        {"metrics_open", "false"},
        {"metrics_per_server", "true"},
        {"min_on", "{}"},
        {"confirm_above", "5"},
        {"session_idle_seconds", "43200"},
        {"session_lifetime_seconds", "604800"},
        {"heartbeat_retention_days", "14"},
        {"heartbeat_retention_bytes", "10737418240"},
    };
    CHECK(list(Settings{}) == expected);
}

TEST_CASE("settings: each is applied by its name, within its range") {
    Settings settings;
    CHECK(apply(settings, {"heartbeat_interval_seconds", "3600"}));
    CHECK(apply(settings, {"missed_heartbeats", "1"}));
    CHECK(apply(settings, {"standby_time_seconds", "86400"}));
    CHECK(apply(settings, {"release_standby_when_settled", "true"}));
    CHECK(apply(settings, {"wake_stagger_ms", "0"}));
    CHECK(apply(settings, {"agents_over_plain_http", "true"}));
    CHECK(apply(settings, {"metrics_open", "true"}));
    CHECK(apply(settings, {"metrics_per_server", "false"}));
    CHECK(apply(settings, {"min_on", R"({"gpu": 2, "db\u0020\"x\"": 100000})"}));
    CHECK(apply(settings, {"confirm_above", "0"}));
    CHECK(apply(settings, {"session_idle_seconds", "60"}));
    CHECK(apply(settings, {"session_lifetime_seconds", "31536000"}));
    CHECK(apply(settings, {"heartbeat_retention_days", "1"}));
    CHECK(apply(settings, {"heartbeat_retention_bytes", "1048576"}));
    CHECK(
        settings ==
        Settings{
            .heartbeat_interval = 3600s,
            .missed_heartbeats = 1,
            .standby_time = 86400s,
            .release_standby_when_settled = true,
            .wake_stagger = 0ms,
            .agents_over_plain_http = true,
            .metrics_open = true,
            .metrics_per_server = false,
            .min_on = {{"gpu", 2}, {"db \"x\"", 100000}},
            .confirm_above = 0,
            .session_idle = 60s,
            .session_lifetime = 365 * 24h,
            .heartbeat_retention = days{1},
            .heartbeat_retention_bytes = 1048576}
    );
    Settings again;
    for (auto const& change : list(settings))
        CHECK(apply(again, change));
    CHECK(again == settings);
}

TEST_CASE("settings: a value out of range or of another kind names the setting, changes nothing") {
    std::vector<SettingChange> const faulty{
        {"heartbeat_interval_seconds", "0"},
        {"heartbeat_interval_seconds", "3601"},
        {"heartbeat_interval_seconds", "10.5"},
        {"heartbeat_interval_seconds", "10 "},
        {"heartbeat_interval_seconds", ""},
        {"heartbeat_interval_seconds", "\"10\""},
        {"heartbeat_interval_seconds", "99999999999999999999"},
        {"missed_heartbeats", "101"},
        {"missed_heartbeats", "-1"},
        {"standby_time_seconds", "86401"},
        {"release_standby_when_settled", "1"},
        {"release_standby_when_settled", "True"},
        {"no_such_setting", "1"},
        {"min_on", "2"},
        {"min_on", "{"},
        {"min_on", R"({"gpu": 0})"},
        {"min_on", R"({"gpu": -1})"},
        {"min_on", R"({"gpu": 2.0})"},
        {"min_on", R"({"gpu": "2"})"},
        {"min_on", R"({"gpu": 100001})"},
        {"min_on", R"({"": 1})"},
        {"confirm_above", "-1"},
        {"confirm_above", "10001"},
        {"session_idle_seconds", "59"},
        {"session_lifetime_seconds", "59"},
        {"heartbeat_retention_days", "0"},
        {"heartbeat_retention_days", "36501"},
        {"heartbeat_retention_bytes", "1048575"},
    };
    for (auto const& change : faulty) {
        CAPTURE(change.first);
        CAPTURE(change.second);
        Settings settings;
        auto const applied = apply(settings, change);
        REQUIRE(!applied);
        CHECK(applied.error().code == ErrorCode::Validation);
        REQUIRE(applied.error().fields.size() == 1);
        CHECK(applied.error().fields[0].field == change.first);
        CHECK(settings == Settings{});
    }
}

TEST_CASE("settings: a server's own value wins over the default (1.1)") {
    Settings settings;
    auto config = named("x");
    CHECK(heartbeat_timeout(config, settings) == 30s);
    CHECK(standby_time(config, settings) == 300s);
    config.heartbeat_interval = 4s;
    config.missed_heartbeats = 5;
    config.standby_time = 60s;
    CHECK(heartbeat_interval(config, settings) == 4s);
    CHECK(heartbeat_timeout(config, settings) == 20s);
    CHECK(standby_time(config, settings) == 60s);
}

// --- the fleet ---

TEST_CASE("fleet: names and MACs are unique; one's own are no conflict (HTTP 3.2)") {
    auto const fleet = three_servers();
    CHECK(check_config(fleet, {}, named("fourth", {mac(9)})));
    CHECK(check_config(fleet, kFirst, named("first", {mac(1), mac(9)})));

    auto taken = check_config(fleet, {}, named("first"));
    REQUIRE(!taken);
    CHECK(taken.error().code == ErrorCode::Conflict);
    taken = check_config(fleet, kFirst, named("first", {mac(3)}));
    REQUIRE(!taken);
    CHECK(taken.error().code == ErrorCode::Conflict);
    CHECK(taken.error().detail.find("second") != std::string::npos);
    CHECK(check_config(fleet, {}, ServerConfig{}).error().code == ErrorCode::Validation);
}

TEST_CASE("fleet: what a server gives up is free again") {
    auto fleet = three_servers();
    happens(fleet, kFirst, ServerUpdated{named("renamed", {mac(2)})});
    CHECK(check_config(fleet, {}, named("first", {mac(1)})));
    CHECK(!check_config(fleet, {}, named("renamed")));
    happens(fleet, kFirst, ServerRemoved{});
    CHECK(check_config(fleet, {}, named("renamed", {mac(2)})));
    CHECK(!fleet.find(kFirst));
    happens(fleet, kFirst, HeartbeatLost{}); // of a removed server: nothing
    CHECK(fleet.servers.size() == 2);
}

TEST_CASE("fleet: a join adds the machine's further MACs (HTTP 3.3)") {
    auto const fleet = three_servers();
    JoiningMachine const machine{"first.local", {mac(2), mac(7)}};
    auto const macs = check_join(fleet, *fleet.find(kFirst), machine, false);
    REQUIRE(macs);
    CHECK(*macs == std::vector{mac(1), mac(2), mac(7)});
}

TEST_CASE("fleet: the first machine that joins a server without MACs gives them (HTTP 3.3)") {
    auto const fleet = three_servers();
    auto const macs = check_join(fleet, *fleet.find(kEmpty), {"new", {mac(8)}}, false);
    REQUIRE(macs);
    CHECK(*macs == std::vector{mac(8)});
}

TEST_CASE("named: the join line pasted on the wrong machine is refused, naming both (1.4)") {
    auto const fleet = three_servers();
    auto const refused = [&](ServerId server, std::vector<MacAddress> macs) {
        auto joined = check_join(fleet, *fleet.find(server), {"wrong.local", macs}, false);
        REQUIRE(!joined);
        CHECK(joined.error().code == ErrorCode::WrongMachine);
        return joined.error().detail;
    };
    auto const names = [](std::string const& text, std::string const& name) {
        return text.find(name) != std::string::npos;
    };
    // second's machine, on first's line: also when one of its cards is first's.
    for (auto const& macs : {std::vector{mac(3)}, std::vector{mac(1), mac(3)}}) {
        auto const detail = refused(kFirst, macs);
        CHECK(names(detail, "first"));
        CHECK(names(detail, "second"));
        CHECK(names(detail, "wrong.local"));
    }
    CHECK(names(refused(kEmpty, {mac(3)}), "second")); // a server without MACs is no exception
    auto const stranger = refused(kFirst, {mac(9)});
    CHECK(names(stranger, "wrong.local"));
    CHECK(names(stranger, "first"));
    refused(kFirst, {}); // a machine that says nothing of itself
}

TEST_CASE("fleet: any_machine lifts it, and another server's MAC stays with it (HTTP 3.3)") {
    auto const fleet = three_servers();
    JoiningMachine const machine{"spare", {mac(3), mac(9)}};
    auto const macs = check_join(fleet, *fleet.find(kFirst), machine, true);
    REQUIRE(macs);
    CHECK(*macs == std::vector{mac(1), mac(2), mac(9)});
}

TEST_CASE("fleet: a join is noted, and its MACs belong to the server (1.4)") {
    auto fleet = three_servers();
    AgentJoined joined;
    joined.hostname = "first.local";
    joined.os = "Debian 12";
    joined.agent_version = "1.0";
    joined.mac_addresses = {mac(1), mac(2), mac(7)};
    happens(fleet, kFirst, joined);
    auto const& server = *fleet.find(kFirst);
    CHECK(server.agent.enrolled);
    CHECK(server.agent.hostname == "first.local");
    CHECK(server.config.mac_addresses == joined.mac_addresses);
    CHECK(!check_config(fleet, {}, named("fourth", {mac(7)})));
    happens(fleet, kFirst, AgentRevoked{});
    CHECK(!fleet.find(kFirst)->agent.enrolled);
}

TEST_CASE("fleet: wakes are counted by rounds, from the last ON request (1.6)") {
    auto scene = Scene::running();
    auto fleet = scene.fleet();
    Event first;
    first.sequence = first.decision = Sequence{500};
    first.server = Scene::kId;
    first.at = WallTime{5s};
    first.payload = WakeSent{};
    auto second = first; // the same round, another MAC
    second.sequence = Sequence{501};
    second.at = WallTime{6s};
    evolve(fleet, first);
    evolve(fleet, second);
    CHECK(fleet.find(Scene::kId)->wakes == Wakes{1, WallTime{6s}, {}});
    scene.asks(PowerStatus::Off);
    CHECK(scene.server().wakes == Wakes{});
}

TEST_CASE("fleet: a wake a person asked for, or a relay sent, is no round (1.6)") {
    auto fleet = Scene::running().fleet();
    Event event;
    event.sequence = event.decision = Sequence{500};
    event.server = Scene::kId;
    event.at = WallTime{5s};
    event.actor = {ActorKind::User, "alice"};
    event.payload = WakeSent{};
    evolve(fleet, event);
    event.actor = {ActorKind::Token, "script"};
    evolve(fleet, event);
    CHECK(fleet.find(Scene::kId)->wakes == Wakes{});
    event.actor = {ActorKind::Agent, {}};
    WakeSent relayed;
    relayed.relay = {77};
    event.payload = relayed;
    evolve(fleet, event);
    CHECK(fleet.find(Scene::kId)->wakes == Wakes{0, {}, {77}});
}

TEST_CASE("fleet: settings and the epoch are folds of their events") {
    auto fleet = three_servers();
    happens(fleet, {}, SettingsChanged{{{"standby_time_seconds", "60"}}});
    happens(fleet, {}, RollbackAccepted{4});
    CHECK(fleet.settings.standby_time == 60s);
    CHECK(fleet.epoch == 4);
}

TEST_CASE("fleet: a start of the manager ends the answers of all servers (1.2)") {
    auto fleet = three_servers();
    for (auto id : {kFirst, kSecond}) {
        auto& state = fleet.servers.at(id).state;
        state.request = Request{.sequence = {9}, .ordered = true, .answered = true};
    }
    happens(fleet, {}, ManagerStarted{});
    for (auto id : {kFirst, kSecond}) {
        CHECK(!fleet.find(id)->state.request->answered);
        CHECK(fleet.find(id)->state.request->ordered);
    }
}

TEST_CASE("fleet: an accepted rollback ends the orders of all servers (1.4)") {
    auto fleet = three_servers();
    for (auto id : {kFirst, kSecond}) {
        auto& state = fleet.servers.at(id).state;
        state.request = Request{.sequence = {9}, .ordered = true, .answered = true};
        REQUIRE(manifest_power(state) == PowerStatus::Off);
    }
    happens(fleet, {}, RollbackAccepted{2});
    for (auto id : {kFirst, kSecond})
        CHECK(manifest_power(fleet.find(id)->state) == PowerStatus::On);
}
