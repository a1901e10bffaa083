#include "http/server_input.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::http;
using core::FieldError;

namespace {

struct Read {
    ServerEdit edit;
    std::vector<FieldError> faults;
};

Read read(std::string_view text) {
    auto const object = boost::json::parse(text).as_object();
    Faults faults;
    Fields fields(object, faults);
    auto edit = read_server_edit(fields, faults);
    auto const result = faults.result();
    return {std::move(edit), result ? std::vector<FieldError>{} : result.error().fields};
}

core::ServerConfig configured() {
    core::ServerConfig config;
    config.name = "old";
    config.note = "stays";
    config.heartbeat_interval = core::seconds(5);
    config.standby_time = core::seconds(60);
    config.missed_heartbeats = 4;
    config.wake.interface = "eth0";
    config.wake.ports = {7};
    return config;
}

} // namespace

TEST_CASE("server input: all that a server can be told is read (3.2)") {
    auto const [edit, faults] = read(R"({"name":"n","mac_addresses":["52-54-00-12-34-56",
        "5254.0012.3457"],"tags":["a","b"],"note":"x\ny","heartbeat_interval_seconds":1,
        "standby_time_seconds":86400,"missed_heartbeats":100,"wake":{"broadcast_address":
        "192.0.2.255","ports":[7,9],"interface":"eth1","secure_on":"AA:bb:cc:dd:ee:0F"},
        "off_method":"suspend","protected":true,"allow_unsigned":true})");
    CHECK(faults.empty());
    core::ServerConfig config;
    edit(config);
    CHECK(config.name == "n");
    REQUIRE(config.mac_addresses.size() == 2);
    CHECK(core::to_string(config.mac_addresses[0]) == "52:54:00:12:34:56");
    CHECK(core::to_string(config.mac_addresses[1]) == "52:54:00:12:34:57");
    CHECK(config.tags == std::vector<std::string>{"a", "b"});
    CHECK(config.note == "x\ny");
    CHECK(config.heartbeat_interval == core::seconds(1));
    CHECK(config.standby_time == core::seconds(86400));
    CHECK(config.missed_heartbeats == 100U);
    CHECK(config.wake.broadcast_address == "192.0.2.255");
    CHECK(config.wake.ports == std::vector<std::uint16_t>{7, 9});
    CHECK(config.wake.interface == "eth1");
    CHECK(config.off_method == core::OffMethod::Suspend);
    CHECK(config.is_protected);
    CHECK(config.allow_unsigned);
    CHECK(edit.secure_on == "aabbccddee0f");
}

TEST_CASE("server input: an edit changes what it names and nothing else") {
    auto const [edit, faults] = read(R"({"name":"new","wake":{"ports":[9]}})");
    CHECK(faults.empty());
    auto config = configured();
    edit(config);
    auto expected = configured();
    expected.name = "new";
    expected.wake.ports = {9};
    CHECK(config == expected);
    CHECK_FALSE(edit.secure_on);
}

TEST_CASE("server input: null resets durations to the default and removes the SecureOn password") {
    auto const [edit, faults] = read(R"({"heartbeat_interval_seconds":null,
        "standby_time_seconds":null,"missed_heartbeats":null,"wake":{"secure_on":null}})");
    CHECK(faults.empty());
    auto config = configured();
    edit(config);
    CHECK_FALSE(config.heartbeat_interval);
    CHECK_FALSE(config.standby_time);
    CHECK_FALSE(config.missed_heartbeats);
    CHECK(config.note == "stays");
    CHECK(edit.secure_on == "");
}

TEST_CASE("server input: each wrong field is named as the API calls it") {
    auto const [edit, faults] = read(R"({"name":null,"mac_addresses":["ff:ff:ff:ff:ff:ff"],
        "heartbeat_interval_seconds":0,"standby_time_seconds":86401,"missed_heartbeats":"3",
        "off_method":"shutdown","wake":{"ports":[0],"secure_on":"aabb","broadcast":""},"tag":[]})");
    std::vector<std::string> names;
    for (auto const& fault : faults)
        names.push_back(fault.field);
    CHECK(
        names ==
        std::vector<std::string>{
            "name",
            "mac_addresses",
            "heartbeat_interval_seconds",
            "standby_time_seconds",
            "missed_heartbeats",
            "off_method",
            "wake.ports",
            "wake.secure_on",
            "wake.broadcast",
            "tag",
        }
    );
}

TEST_CASE("server input: a SecureOn password is 4 or 6 bytes in hexadecimal") {
    CHECK(parse_secure_on("c0A80001") == "c0a80001");
    CHECK(parse_secure_on("c0:a8:00:01") == "c0a80001");
    CHECK(parse_secure_on("01-02-03-04-05-06") == "010203040506");
    CHECK(parse_secure_on("010203040506") == "010203040506");
    for (auto const* text :
         {"",
          "c0a8",
          "c0a8000102",
          "c0:a8-00:01",
          "c0:a8:00:0",
          "g0a80001",
          "c0 a8 00 01",
          "192.168.0.1",
          "01:02:03:04:05:06:07"})
        CHECK_MESSAGE(!parse_secure_on(text), text);
}
