// The texts of small values: written one way, read strictly.
#include "core/actor.hpp"
#include "core/event.hpp"
#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/mac_address.hpp"
#include "core/status.hpp"
#include "core/time.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace cpm::core;
using namespace std::chrono_literals;

namespace {

constexpr MacAddress kMac{{0x52, 0x54, 0x00, 0x12, 0xab, 0xcd}};

WallTime at(int year, unsigned month, unsigned day, std::chrono::microseconds of_day) {
    std::chrono::year_month_day const date{
        std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
    return std::chrono::sys_days{date} + of_day;
}

} // namespace

TEST_CASE("words: the statuses are read by exactly the names the model gives them (1.1)") {
    CHECK(parse_power_status("ON") == PowerStatus::On);
    CHECK(parse_power_status("OFF") == PowerStatus::Off);
    CHECK(!parse_power_status("on"));
    CHECK(!parse_power_status(""));
    CHECK(parse_heartbeat_status("ON") == HeartbeatStatus::On);
    CHECK(parse_heartbeat_status("Stopping") == HeartbeatStatus::Stopping);
    CHECK(parse_heartbeat_status("None") == HeartbeatStatus::None);
    CHECK(!parse_heartbeat_status("OFF"));
    for (auto const* name :
         {"ON",
          "OFF",
          "Starting",
          "StartupDelayed",
          "BeforeStopping",
          "Stopping",
          "ShutdownDelayed",
          "ManuallyON",
          "Crashed",
          "Unknown"}) {
        auto const status = parse_actual_status(name);
        REQUIRE_MESSAGE(status, name);
        CHECK(to_string(*status) == name);
    }
    CHECK(!parse_actual_status("ManuallyOn"));
}

TEST_CASE("words: a MAC address is read in any usual notation") {
    for (auto const* text :
         {"52:54:00:12:ab:cd",
          "52:54:00:12:AB:CD",
          "52-54-00-12-ab-cd",
          "5254.0012.abcd",
          "52540012ABCD"}) {
        CAPTURE(text);
        CHECK(parse_mac_address(text) == kMac);
    }
    CHECK(to_string(kMac) == "52:54:00:12:ab:cd");
}

TEST_CASE("words: what is no MAC of one machine is not read") {
    for (auto const* text :
         {"",
          "52:54:00:12:ab",
          "52:54:00:12:ab:cd:ef",
          "52:54:00:12:ab:cg",
          "52:54-00:12:ab:cd",
          "52 54 00 12 ab cd",
          "5254:0012:abcd",
          "5254.0012-abcd",
          "52540012abc:",
          "5:254:00:12:ab:cd",
          " 2:54:00:12:ab:cd",
          "ff:ff:ff:ff:ff:ff",
          "01:00:5e:00:00:01",
          "00:00:00:00:00:00"}) {
        CAPTURE(text);
        CHECK(!parse_mac_address(text));
    }
}

TEST_CASE("words: a boot id is the kernel's canonical form (HTTP 3.3)") {
    auto const* text = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    auto const id = parse_boot_id(text);
    REQUIRE(id);
    CHECK(id->bytes[0] == 0x0a);
    CHECK(id->bytes[15] == 0xf9);
    CHECK(to_string(*id) == text);
    for (auto const* other :
         {"",
          "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
          "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
          "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f",
          "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9 ",
          "0a1b2c3d-4e5f-6071-8293_a4b5c6d7e8f9",
          "{a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f}"})
        CHECK_MESSAGE(!parse_boot_id(other), other);
}

TEST_CASE("words: a server's id") {
    CHECK(to_string(ServerId{0xbeef}) == "srv_000000000000beef");
    CHECK(parse_server_id("srv_000000000000beef") == ServerId{0xbeef});
    for (auto const* text :
         {"",
          "srv_",
          "srv_0000000000000000",
          "srv_000000000000BEEF",
          "srv_00000000000beef",
          "000000000000000beef1",
          "srv_000000000000beeg"})
        CHECK_MESSAGE(!parse_server_id(text), text);
}

TEST_CASE("words: times are written in UTC with milliseconds, never rounded up (HTTP 3)") {
    CHECK(to_rfc3339(at(2026, 11, 21, 9h)) == "2026-11-21T09:00:00.000Z");
    CHECK(to_rfc3339(at(2026, 11, 21, 9h + 59'999us)) == "2026-11-21T09:00:00.059Z");
    CHECK(to_rfc3339(at(2024, 2, 29, 23h + 59min + 59s + 999ms)) == "2024-02-29T23:59:59.999Z");
    CHECK(to_rfc3339(WallTime{-1us}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("words: RFC 3339 is read with fractions and offsets") {
    CHECK(parse_rfc3339("2026-11-21T09:00:00Z") == at(2026, 11, 21, 9h));
    CHECK(parse_rfc3339("2026-11-21t09:00:00z") == at(2026, 11, 21, 9h));
    CHECK(parse_rfc3339("2026-11-21T09:00:00.5Z") == at(2026, 11, 21, 9h + 500ms));
    CHECK(parse_rfc3339("2026-11-21T09:00:00.1234567Z") == at(2026, 11, 21, 9h + 123'456us));
    CHECK(parse_rfc3339("2026-11-21T09:00:00+09:00") == at(2026, 11, 21, 0h));
    CHECK(parse_rfc3339("2026-11-20T23:30:00-00:30") == at(2026, 11, 21, 0h));
    CHECK(parse_rfc3339("2024-02-29T00:00:00Z") == at(2024, 2, 29, 0h));
}

TEST_CASE("words: what is no RFC 3339 is refused with an example") {
    for (auto const* text :
         {"",
          "2026-11-21",
          "2026-11-21 09:00:00Z",
          "2026-11-21T09:00Z",
          "2026-11-21T09:00:00",
          "2026-11-21T09:00:00.Z",
          "2026-11-21T24:00:00Z",
          "2026-11-21T09:60:00Z",
          "2026-13-21T09:00:00Z",
          "2025-02-29T09:00:00Z",
          "2026-11-21T09:00:00+0900",
          "2026-11-21T09:00:00+24:00",
          "2026-11-21T09:00:00Zx",
          "2026-11-21T-9:00:00Z",
          "+026-11-21T09:00:00Z",
          " 2026-11-21T09:00:00Z"}) {
        CAPTURE(text);
        auto const time = parse_rfc3339(text);
        REQUIRE(!time);
        CHECK(time.error().code == ErrorCode::Malformed);
        CHECK(time.error().detail.find("2026-11-21T09:00:00Z") != std::string::npos);
    }
}

TEST_CASE("words: every event type has a name of its own, and a family (event log 2.1)") {
    std::set<std::string_view> const names(type_names().begin(), type_names().end());
    CHECK(names.size() == std::variant_size_v<Payload>);
    CHECK(type_name(ServerAdded{}) == "ServerAdded");
    CHECK(family_of(ServerAdded{}) == Family::Fleet);
    CHECK(type_name(AgentReinstated{}) == "AgentReinstated");
    CHECK(type_name(PowerRequested{}) == "PowerRequested");
    CHECK(family_of(WakeSent{}) == Family::Power);
    CHECK(type_name(WakeSent{}) == "WakeSent");
    CHECK(type_name(HeartbeatsCompacted{}) == "HeartbeatsCompacted");
    CHECK(family_of(ReportIgnored{}) == Family::Heartbeats);
    CHECK(type_name(SettingsChanged{}) == "SettingsChanged");
    CHECK(family_of(SetupDone{}) == Family::People);
    CHECK(type_name(RollbackAccepted{}) == "RollbackAccepted");
    CHECK(family_of(ManagerStarted{}) == Family::Process);
    CHECK(parse_family("heartbeats") == Family::Heartbeats);
    CHECK(!parse_family("Heartbeats"));
}

TEST_CASE("words: roles and how a machine leaves (HTTP 3.2, 3.3)") {
    CHECK(parse_role("admin") == Role::Admin);
    CHECK(parse_role("operator") == Role::Operator);
    CHECK(parse_role("viewer") == Role::Viewer);
    CHECK(!parse_role("root"));
    CHECK(parse_leaving("poweroff") == Leaving::PowerOff);
    CHECK(parse_leaving("reboot") == Leaving::Reboot);
    CHECK(parse_leaving("suspend") == Leaving::Suspend);
    CHECK(!parse_leaving(""));
}
