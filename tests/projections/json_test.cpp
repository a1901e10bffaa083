#include "projections/event_json.hpp"
#include "projections/notification.hpp"
#include "projections/server_json.hpp"
#include "tests/projections/world.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

namespace json = boost::json;

/// The names in the order they are written.
std::vector<std::string> names_of(json::object const& object) {
    std::vector<std::string> names;
    for (auto const& member : object)
        names.emplace_back(member.key());
    return names;
}

/// Equal whatever the order of the members.
void check_data(core::Payload const& payload, std::string_view expected) {
    CAPTURE(core::type_name(payload));
    auto const data = projections::data_of(payload);
    CHECK_MESSAGE(data == json::parse(expected), json::serialize(data));
}

World known_server() {
    World world;
    core::ServerConfig config;
    config.name = "rack1-node3";
    config.mac_addresses.push_back({{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}});
    config.tags = {"gpu"};
    config.missed_heartbeats = 5;
    config.wake = {"192.0.2.255", {7, 9}, "eth0"};
    config.off_method = core::OffMethod::Suspend;
    config.is_protected = true;
    world.decide(kNode1, core::ServerAdded{config}, kAlice); // 1
    world.decide(                                            // 2
        kNode1,
        core::AgentJoined{
            .token_id = "jt_1",
            .hostname = "node3",
            .agent_version = "1.2.0",
            .os = "Debian 12",
            .address = "192.0.2.7",
            .mac_addresses = config.mac_addresses,
        },
        kAgent
    );
    world.report(kNode1, HeartbeatStatus::On); // 3, 4
    world.now = at("09:00:05");
    world.ask(kNode1, PowerStatus::Off); // 5
    return world;
}

} // namespace

TEST_CASE("server JSON: every field, with a standby time open (HTTP 3.2)") {
    auto const world = known_server();
    auto const server = projections::to_json(
        *world.fleet.find(kNode1), world.fleet.settings, core::milliseconds(211'001), at("09:01:00")
    );
    auto expected = json::parse(R"({
        "id": "srv_0000000000001111", "name": "rack1-node3",
        "mac_addresses": ["52:54:00:12:34:56"], "tags": ["gpu"], "note": "",
        "power_status": "OFF", "heartbeat_status": {"previous": "ON", "current": "ON"},
        "actual_status": "BeforeStopping", "display_status": "BeforeStopping",
        "standby": {"until": "2026-11-21T09:04:31.001Z", "remaining_seconds": 212},
        "last_heartbeat_at": "2026-11-21T09:00:00.000Z",
        "heartbeat_interval_seconds": 10, "missed_heartbeats": 5, "standby_time_seconds": 300,
        "wake": {"broadcast_address": "192.0.2.255", "ports": [7, 9], "interface": "eth0"},
        "off_method": "suspend", "protected": true, "allow_unsigned": false, "set_aside": false,
        "blocked_by": null,
        "agent": {"enrolled": true, "version": "1.2.0", "hostname": "node3",
                  "boot_id": "00000000-0000-0000-0000-000000000001", "address": "192.0.2.7"},
        "changed_at": "2026-11-21T09:00:05.000Z", "sequence": 5
    })");
    json::object reason = server.at("reason").as_object();
    CHECK(names_of(reason) == std::vector<std::string>{"rule", "text"});
    CHECK(reason.at("rule") == "OFF/ON/ON");
    expected.as_object()["reason"] = reason;
    CHECK_MESSAGE(server == expected, json::serialize(server));
}

TEST_CASE("server JSON: what is not known is null, None is a status, defaults are effective") {
    World world;
    world.add(kNode1, "node1");
    auto const server = projections::to_json(
        *world.fleet.find(kNode1), world.fleet.settings, core::milliseconds(0), world.now
    );
    CHECK(server.at("standby").is_null());
    CHECK(server.at("last_heartbeat_at").is_null());
    CHECK(server.at("heartbeat_status") == json::parse(R"({"previous":"None","current":"None"})"));
    CHECK(
        server.at("agent") == json::parse(R"({"enrolled": false, "version": null, "hostname": null,
                                              "boot_id": null, "address": null})")
    );
    CHECK(
        server.at("wake") ==
        json::parse(R"({"broadcast_address": "", "ports": [], "interface": ""})")
    );
    CHECK(server.at("missed_heartbeats") == 3);
}

TEST_CASE("server JSON: ManuallyON is shown to people as ON (1.2)") {
    World world;
    world.add(kNode1, "node1");
    world.report(kNode1, HeartbeatStatus::On);
    auto const server = projections::to_json(
        *world.fleet.find(kNode1), world.fleet.settings, core::milliseconds(0), world.now
    );
    CHECK(server.at("actual_status") == "ManuallyON");
    CHECK(server.at("display_status") == "ON");
}

TEST_CASE("event JSON: the envelope") {
    core::Event event;
    event.sequence = {18446744073709551615U};
    event.decision = {41};
    event.at = at("09:00:00.125");
    event.server = kNode1;
    event.actor = kAlice;
    event.cause = {40};
    event.actual = core::ActualStatus::ManuallyOn;
    event.payload = core::PowerReasserted{{39}};
    core::Hash hash{};
    hash[0] = 0xAB;
    hash[31] = 0x01;
    auto const written = projections::to_json(event, hash);
    CHECK(
        json::serialize(written) ==
        R"({"sequence":18446744073709551615,"decision":41,"at":"2026-11-21T09:00:00.125Z",)"
        R"("type":"PowerReasserted","family":"power","server_id":"srv_0000000000001111",)"
        R"("actor":{"kind":"user","name":"alice"},"cause":40,"actual_status":"ManuallyON",)"
        R"("data":{"request":39},)"
        R"("hash":"ab00000000000000000000000000000000000000000000000000000000000001"})"
    );
}

TEST_CASE("event JSON: no server, cause or status is null") {
    core::Event event;
    event.payload = core::SetupDone{"alice"};
    auto const written = projections::to_json(event, {});
    CHECK(written.at("server_id").is_null());
    CHECK(written.at("cause").is_null());
    CHECK(written.at("actual_status").is_null());
    CHECK(written.at("data") == json::parse(R"({"username": "alice"})"));
}

TEST_CASE("event JSON: the data of fleet events") {
    core::ServerConfig config;
    config.name = "node1";
    config.standby_time = core::seconds(60);
    auto const* const configured = R"({
        "name": "node1", "mac_addresses": [], "tags": [], "note": "",
        "heartbeat_interval_seconds": null, "standby_time_seconds": 60, "missed_heartbeats": null,
        "wake": {"broadcast_address": "", "ports": [], "interface": ""},
        "off_method": "poweroff", "protected": false, "allow_unsigned": false})";
    check_data(core::ServerAdded{config}, configured);
    check_data(core::ServerUpdated{config}, configured);
    check_data(core::ServerRemoved{}, "{}");
    check_data(
        core::JoinTokenCreated{"jt_1", at("10:00:00"), true},
        R"({"token_id": "jt_1", "expires_at": "2026-11-21T10:00:00.000Z", "any_machine": true})"
    );
    check_data(
        core::AgentJoined{"jt_1", "h", "1.0", "Debian", "192.0.2.7", {{{2, 0, 0, 0, 0, 1}}}},
        R"({"token_id": "jt_1", "hostname": "h", "agent_version": "1.0", "os": "Debian",
            "address": "192.0.2.7", "mac_addresses": ["02:00:00:00:00:01"]})"
    );
    check_data(core::AgentTokenRotated{}, "{}");
    check_data(core::AgentRevoked{}, "{}");
    check_data(
        core::AgentSetAside{boot(1)},
        R"({"identity": {"boot_id": "00000000-0000-0000-0000-000000000001", "resume_count": 0}})"
    );
    check_data(core::AgentReinstated{}, "{}");
}

TEST_CASE("event JSON: the data of power events") {
    check_data(
        core::PowerRequested{PowerStatus::Off, core::seconds(300)},
        R"({"target": "OFF", "standby_time_seconds": 300})"
    );
    check_data(
        core::PowerRefused{PowerStatus::Off, core::ErrorCode::OwnHost},
        R"({"target": "OFF", "reason": "own-host"})"
    );
    check_data(
        core::PowerAdopted{std::nullopt, {}, true},
        R"({"identity": null, "overruled": null, "notify": true})"
    );
    check_data(core::PowerReasserted{{3}}, R"({"request": 3})");
    core::Request const restored{{2}, PowerStatus::On, core::Standby::Elapsed, false, false, true};
    check_data(
        core::PowerWithdrawn{
            {9}, PowerStatus::On, HeartbeatStatus::On, HeartbeatStatus::None, restored},
        R"({"request": 9, "power_status": "ON", "previous": "ON", "current": "None",
            "restored": {"sequence": 2, "target": "ON", "standby": "elapsed", "ordered": false,
                         "answered": false, "confirmed": true}})"
    );
    check_data(core::StandbyElapsed{{3}, true}, R"({"request": 3, "late": true})");
    check_data(core::StandbyReleased{{3}}, R"({"request": 3})");
    check_data(
        core::OrderSent{{3}, boot(2), "", core::OrderWay::Manifest},
        R"({"request": 3, "nonce": null, "way": "manifest",
            "identity": {"boot_id": "00000000-0000-0000-0000-000000000002", "resume_count": 0}})"
    );
    check_data(
        core::WakeSent{{3}, {{2, 0, 0, 0, 0, 1}}, "broadcast 192.0.2.255:9 on eth0", true, ""},
        R"({"request": 3, "mac_address": "02:00:00:00:00:01",
            "way": "broadcast 192.0.2.255:9 on eth0", "ok": true, "detail": null, "relay": null})"
    );
    check_data(
        core::WakeSent{{3}, {{2, 0, 0, 0, 0, 1}}, "relay", false, "silent", {0xab}},
        R"({"request": 3, "mac_address": "02:00:00:00:00:01", "way": "relay", "ok": false,
            "detail": "silent", "relay": "srv_00000000000000ab"})"
    );
}

TEST_CASE("event JSON: the data of heartbeat events") {
    check_data(
        core::HeartbeatReceived{
            .status = HeartbeatStatus::Stopping,
            .identity = boot(1),
            .report = 123,
            .timeout = core::seconds(30),
            .blocked_by = "a backup",
            .leaving = core::Leaving::Reboot,
            .can_verify = true,
            .agent_version = "",
            .address = "192.0.2.7",
        },
        R"({"status": "Stopping", "report": 123, "timeout_seconds": 30, "blocked_by": "a backup",
            "identity": {"boot_id": "00000000-0000-0000-0000-000000000001", "resume_count": 0},
            "leaving": "reboot", "can_verify": true, "agent_version": null,
            "address": "192.0.2.7"})"
    );
    check_data(core::HeartbeatLost{{3}}, R"({"heartbeat": 3})");
    check_data(
        core::ReportIgnored{
            HeartbeatStatus::On, boot(1), std::nullopt, core::IgnoredBecause::ReplacedIdentity},
        R"({"status": "ON", "report": null, "because": "replaced_identity",
            "identity": {"boot_id": "00000000-0000-0000-0000-000000000001", "resume_count": 0}})"
    );
    core::Hash hash{};
    hash[31] = 0x0F;
    check_data(
        core::HeartbeatsCompacted{{3}, {9}, 7, {}, hash},
        R"({"first": 3, "last": 9, "count": 7,
            "prev_hash": "0000000000000000000000000000000000000000000000000000000000000000",
            "last_hash": "000000000000000000000000000000000000000000000000000000000000000f"})"
    );
}

TEST_CASE("event JSON: the data of people's and process events") {
    check_data(core::SetupDone{"a"}, R"({"username": "a"})");
    check_data(core::SignedIn{"a", "192.0.2.1"}, R"({"username": "a", "address": "192.0.2.1"})");
    check_data(
        core::SignInFailed{"", "192.0.2.1"}, R"({"username": null, "address": "192.0.2.1"})"
    );
    check_data(core::SignedOut{"a"}, R"({"username": "a"})");
    check_data(
        core::UserAdded{"a", core::Role::Operator}, R"({"username": "a", "role": "operator"})"
    );
    check_data(
        core::UserChanged{"a", core::Role::Admin, true, false},
        R"({"username": "a", "role": "admin", "disabled": true, "password_changed": false})"
    );
    check_data(core::UserRemoved{"a"}, R"({"username": "a"})");
    check_data(
        core::TokenCreated{"tok_1", "backup", core::Role::Viewer, std::nullopt},
        R"({"token_id": "tok_1", "name": "backup", "role": "viewer", "expires_at": null})"
    );
    check_data(core::TokenRevoked{"tok_1"}, R"({"token_id": "tok_1"})");
    check_data(
        core::NotificationDismissed{"ntf_5_crashed"}, R"({"notification_id": "ntf_5_crashed"})"
    );
    check_data(
        core::SettingsChanged{
            {{"standby_time_seconds", "60"}, {"release_standby_when_settled", "true"}}},
        R"({"changes": {"standby_time_seconds": 60, "release_standby_when_settled": true}})"
    );
    check_data(core::ManagerStarted{"1.0"}, R"({"version": "1.0"})");
    check_data(core::ManagerStopped{}, "{}");
    check_data(core::RollbackAccepted{2}, R"({"epoch": 2})");
}

TEST_CASE("notification JSON: the shape of HTTP 3.2") {
    projections::Notification const notification{
        .id = "ntf_5_startup_delayed",
        .kind = projections::NotificationKind::StartupDelayed,
        .severity = projections::Severity::Warning,
        .server_ids = {kNode1},
        .text = "node1 is late to start.",
        .since = at("09:00:00"),
        .actions =
            {projections::NotificationAction::SetOff,
             projections::NotificationAction::WakeAgain,
             projections::NotificationAction::Reinstate,
             projections::NotificationAction::Dismiss},
    };
    CHECK(projections::to_json(notification) == json::parse(R"({
        "id": "ntf_5_startup_delayed", "kind": "startup_delayed", "severity": "warning",
        "server_ids": ["srv_0000000000001111"], "text": "node1 is late to start.",
        "since": "2026-11-21T09:00:00.000Z",
        "actions": ["set_off", "wake_again", "reinstate", "dismiss"]})"));
}
