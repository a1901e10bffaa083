#include "http/agent_input.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::http;

namespace {

constexpr auto kBoot = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
constexpr auto kNonce = "AAECAwQFBgcICQoLDA0ODw"; // 16 bytes

Request says(std::string body) {
    Request request;
    request.body = std::move(body);
    request.peer = "192.0.2.7";
    return request;
}

std::string faulty_field(std::string body) {
    auto const report = read_heartbeat(says(std::move(body)));
    REQUIRE_FALSE(report);
    REQUIRE(report.error().code == core::ErrorCode::Validation);
    return report.error().fields.at(0).field;
}

} // namespace

TEST_CASE("heartbeat: all fields are read (3.3)") {
    auto const report = read_heartbeat(says(
        std::string(R"({"status":"Stopping","boot_id":")") + kBoot +
        R"(","resume_count":3,"report":18446744073709551615,"nonce":")" + kNonce +
        R"(","uptime_seconds":12,"agent_version":"1.2","leaving":"reboot","blocked_by":"a backup",)"
        R"("witness":{"epoch":1},"woke":["w1"]})"
    ));
    REQUIRE(report);
    CHECK(report->status == core::HeartbeatStatus::Stopping);
    REQUIRE(report->identity);
    CHECK(core::to_string(report->identity->boot_id) == kBoot);
    CHECK(report->identity->resume_count == 3);
    CHECK(report->report == UINT64_MAX);
    CHECK(report->nonce == kNonce);
    CHECK(report->agent_version == "1.2");
    CHECK(report->leaving == core::Leaving::Reboot);
    CHECK(report->blocked_by == "a backup");
    CHECK(report->address == "192.0.2.7");
}

TEST_CASE("heartbeat: the status is enough; unknown fields are ignored, null is absent (3.3)") {
    auto const report = read_heartbeat(says(
        R"({"status":"ON","boot_id":null,"nonce":null,"blocked_by":null,"leaving":null,"new":[1]})"
    ));
    REQUIRE(report);
    CHECK(report->status == core::HeartbeatStatus::On);
    CHECK_FALSE(report->identity);
    CHECK_FALSE(report->report);
    CHECK(report->nonce.empty());
    CHECK(report->blocked_by.empty());
    CHECK(report->leaving == core::Leaving::No);
}

TEST_CASE("heartbeat: a boot id without the resume count, or the reverse, is no identity (1.1)") {
    auto const boot = std::string(R"("boot_id":")") + kBoot + '"';
    CHECK_FALSE(read_heartbeat(says(R"({"status":"ON",)" + boot + "}"))->identity);
    CHECK_FALSE(read_heartbeat(says(R"({"status":"ON","resume_count":0})"))->identity);
    CHECK(read_heartbeat(says(R"({"status":"ON","resume_count":0,)" + boot + "}"))->identity);
}

TEST_CASE("heartbeat: a missing or wrong field is refused and named (3.3)") {
    CHECK(faulty_field("{}") == "status");
    CHECK(faulty_field(R"({"status":null})") == "status");
    for (auto const* status : {"None", "OFF", "on", ""})
        CHECK(faulty_field(std::string(R"({"status":")") + status + "\"}") == "status");
    CHECK(
        faulty_field(R"({"status":"ON","boot_id":"0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"})") ==
        "boot_id"
    );
    CHECK(faulty_field(R"({"status":"ON","resume_count":-1})") == "resume_count");
    CHECK(faulty_field(R"({"status":"ON","report":1.5})") == "report");
    CHECK(faulty_field(R"({"status":"ON","nonce":"short"})") == "nonce");
    CHECK(faulty_field(R"({"status":"ON","leaving":"hibernate"})") == "leaving");
    CHECK(faulty_field(R"({"status":"ON","uptime_seconds":"1"})") == "uptime_seconds");
    CHECK(faulty_field(R"({"status":"ON","witness":[]})") == "witness");
    CHECK(faulty_field(R"({"status":"ON","woke":"all"})") == "woke");
    CHECK(
        faulty_field(R"({"status":"ON","blocked_by":")" + std::string(201, 'x') + "\"}") ==
        "blocked_by"
    );
    CHECK(read_heartbeat(says(R"({"status":"ON","blocked_by":")" + std::string(200, 'x') + "\"}")));
}

TEST_CASE("nonce: 16 to 32 bytes in base64url without padding (3.3)") {
    CHECK(parse_nonce(std::string(22, 'A')));
    CHECK(parse_nonce(std::string(43, '_')));
    CHECK(parse_nonce("abcXYZ0189-_abcXYZ0189-_"));
    for (std::size_t size : {0, 21, 25, 29, 33, 37, 41, 44}) // 4n + 1 characters hold no bytes
        CHECK_MESSAGE(!parse_nonce(std::string(size, 'A')), size);
    for (auto const* text :
         {"AAECAwQFBgcICQoLDA0OD=", "AAECAwQFBgcICQoLDA0OD+", "AAECAwQFBgcICQoLDA0OD\n"})
        CHECK_MESSAGE(!parse_nonce(text), text);
}

TEST_CASE("join: what the machine says of itself is read, a wrong or missing part is named (3.3)") {
    auto const join = read_join(
        says(R"({"join_token":"cpm_join_x","hostname":"node3","mac_addresses":["525400123456",)"
             R"("52:54:00:12:34:56"],"agent_version":"1","os":"Debian 12","more":1})")
    );
    REQUIRE(join);
    CHECK(join->join_token == "cpm_join_x");
    CHECK(join->machine.hostname == "node3");
    CHECK(join->machine.mac_addresses.size() == 1); // told twice, one card
    CHECK(join->agent_version == "1");
    CHECK(join->os == "Debian 12");
    CHECK(join->address == "192.0.2.7");

    auto const wrong = read_join(says(R"({"mac_addresses":["nonsense"]})"));
    REQUIRE_FALSE(wrong);
    REQUIRE(wrong.error().fields.size() == 3);
    CHECK(wrong.error().fields[0].field == "join_token");
    CHECK(wrong.error().fields[1].field == "hostname");
    CHECK(wrong.error().fields[2].field == "mac_addresses");
}

TEST_CASE("manifest call: the query says who asks and how long it may be held (3.3)") {
    Request request;
    request.query = {{"wait", "60"}, {"nonce", kNonce}, {"boot_id", kBoot}, {"resume_count", "0"}};
    auto const call = read_manifest_call(request);
    REQUIRE(call);
    CHECK(call->wait == core::seconds(60));
    CHECK(call->asker.identity.has_value());
    CHECK(call->asker.nonce == kNonce);
    CHECK(call->asker.way == core::OrderWay::Manifest);

    request.query = {{"wait", "61"}};
    CHECK_FALSE(read_manifest_call(request));
    request.query = {{"boot_id", kBoot}};
    CHECK_FALSE(read_manifest_call(request)->asker.identity);
    request.query = {};
    CHECK(read_manifest_call(request)->wait == core::seconds(0));
}
