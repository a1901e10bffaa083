#include "tests/eventstore/events.hpp"

using namespace cpm::core;
using namespace cpm::eventstore;

namespace {

constexpr BootIdentity kIdentity{
    {{0x3f,
      0x01,
      0x02,
      0x03,
      0x04,
      0x05,
      0x06,
      0x07,
      0x08,
      0x09,
      0x0a,
      0x0b,
      0x0c,
      0x0d,
      0x0e,
      0xf0}},
    0x1122334455667788};
constexpr MacAddress kMac{{0x52, 0x54, 0x00, 0x12, 0x34, 0xfe}};
constexpr MacAddress kOtherMac{{0x02, 0xff, 0x80, 0x7f, 0x01, 0x03}};

WallTime moment(std::int64_t micros) {
    return WallTime(std::chrono::microseconds(micros));
}

Hash counting(std::uint8_t first) {
    Hash hash{};
    for (auto& byte : hash)
        byte = first++;
    return hash;
}

ServerConfig config(std::string name) {
    return {
        .name = std::move(name),
        .mac_addresses = {kMac, kOtherMac},
        .tags = {"rack-1", "gpu"},
        .note = "under the desk — ☃",
        .heartbeat_interval = seconds(30),
        .standby_time = seconds(86400),
        .missed_heartbeats = 100,
        .wake = {.broadcast_address = "192.0.2.255", .ports = {7, 65535}, .interface = "eth1"},
        .off_method = OffMethod::Hibernate,
        .is_protected = true,
        .allow_unsigned = true,
    };
}

std::vector<Payload> payloads() {
    return {
        ServerAdded{config("node-1")},
        ServerUpdated{config("node-one")},
        ServerRemoved{},
        JoinTokenCreated{"jt_1", moment(1789000000000001), true},
        AgentJoined{"jt_2", "host", "1.2.3", "Debian 12", "192.0.2.7", {kMac, kOtherMac}},
        AgentTokenRotated{},
        AgentRevoked{},
        AgentSetAside{kIdentity},
        AgentReinstated{},
        PowerRequested{PowerStatus::On, seconds(301)},
        PowerRefused{PowerStatus::On, ErrorCode::StandbyOpen},
        PowerAdopted{kIdentity, {0xfedcba9876543210}, true},
        PowerReasserted{{41}},
        PowerWithdrawn{
            {42},
            PowerStatus::On,
            HeartbeatStatus::On,
            HeartbeatStatus::Stopping,
            Request{
                .sequence = {43},
                .target = PowerStatus::On,
                .standby = Standby::Elapsed,
                .ordered = true,
                .answered = true,
                .confirmed = true,
            }},
        StandbyElapsed{{44}, true},
        StandbyReleased{{45}},
        OrderSent{{46}, kIdentity, "nonce", OrderWay::Manifest},
        WakeSent{{47}, kMac, "broadcast 192.0.2.255:9 on eth0", true, "sent"},
        HeartbeatReceived{
            .status = HeartbeatStatus::Stopping,
            .identity = kIdentity,
            .report = 0xfffffffffffffffe,
            .timeout = seconds(90),
            .blocked_by = "apt",
            .leaving = Leaving::Suspend,
            .can_verify = true,
            .agent_version = "1.2.4",
            .address = "2001:db8::1",
        },
        HeartbeatLost{{48}},
        ReportIgnored{HeartbeatStatus::On, kIdentity, 0, IgnoredBecause::ReplacedIdentity},
        HeartbeatsCompacted{{49}, {50}, 51, counting(1), counting(0xe0)},
        SetupDone{"ada"},
        SignedIn{"ada", "192.0.2.8"},
        SignInFailed{"bob", "192.0.2.9"},
        SignedOut{"carol"},
        UserAdded{"dave", Role::Admin},
        UserChanged{"erin", Role::Operator, true, true},
        UserRemoved{"frank"},
        TokenCreated{"at_1", "backup", Role::Operator, moment(-1)},
        TokenRevoked{"at_2"},
        NotificationDismissed{"n_1"},
        SettingsChanged{{{"standby_seconds", "300"}, {"agents_over_plain_http", "true"}}},
        ManagerStarted{"0.1.0"},
        ManagerStopped{},
        RollbackAccepted{2},
    };
}

} // namespace

std::vector<Event> one_of_each() {
    std::vector<Event> events;
    for (auto const& payload : payloads()) {
        auto const n = events.size() + 1;
        events.push_back({
            .sequence = {n},
            .decision = {n},
            .at = moment(1789000000000000 + std::int64_t(n)),
            .server = {0x8000000000000001},
            .actor = {ActorKind::Token, "nightly"},
            .cause = {7},
            .actual = ActualStatus::Crashed,
            .payload = payload,
        });
    }
    return events;
}

Event simple_event(std::uint64_t sequence, std::uint64_t server) {
    return {
        .sequence = {sequence},
        .decision = {sequence},
        .at = moment(1789000000000000),
        .server = {server},
        .actor = {},
        .cause = {},
        .actual = {},
        .payload = ManagerStarted{"event " + std::to_string(sequence)},
    };
}

std::vector<Event> simple_events(std::uint64_t after, std::uint64_t count) {
    std::vector<Event> events;
    for (std::uint64_t n = after + 1; n <= after + count; ++n)
        events.push_back(simple_event(n, (n - 1) % 3 + 1));
    return events;
}

std::string append_simple(EventLog& log, std::uint64_t count) {
    auto const head = log.head().sequence;
    auto const done = log.append(head, simple_events(head.value, count), {});
    return done ? "" : done.error().detail;
}

std::pair<std::vector<Event>, std::string>
read_all(EventReader const& log, std::uint64_t first, std::uint64_t last) {
    std::vector<Event> events;
    auto const done = log.read({first}, {last}, [&](StoredEvent const& stored) {
        events.push_back(stored.event);
        return true;
    });
    return {std::move(events), done ? "" : done.error().detail};
}
