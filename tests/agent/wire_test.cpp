#include "agent/files.hpp"
#include "agent/wire.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <sys/stat.h>

using namespace cpm::agent;
using cpm::core::HeartbeatStatus;
using cpm::core::PowerStatus;

namespace {

std::string const kOff =
    R"({"power_status":"OFF","heartbeat_interval_seconds":10,"manifest_version":"OFF.10.7",)"
    R"("head":{"epoch":1,"sequence":50,"hash":"ab","mac":"cd"},"order":{"method":"suspend",)"
    R"("server_id":"srv_1","boot_id":"b","resume_count":2,"nonce":"n","sequence":7,)"
    R"("signature":"s"},"notice":"look","future":[1,{}]})";

std::string with(std::string_view from, std::string_view to) {
    auto text = kOff;
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("wire: an answer is read, and what is not known is ignored (3.3)") {
    auto const answer = parse_answer(kOff);
    REQUIRE_MESSAGE(answer.has_value(), answer.error());
    CHECK(answer->power_status == PowerStatus::Off);
    CHECK(answer->heartbeat_interval == seconds(10));
    CHECK(answer->manifest_version == "OFF.10.7");
    CHECK(answer->head == Head{1, 50, "ab", "cd"});
    REQUIRE(answer->order);
    CHECK(answer->order->method == OffMethod::Suspend);
    CHECK(answer->order->server_id == "srv_1");
    CHECK(answer->order->identity == BootIdentity{"b", 2});
    CHECK(answer->order->nonce == "n");
    CHECK(answer->order->sequence == 7);
    CHECK(answer->order->signature == "s");
    CHECK(answer->notice == "look");
}

TEST_CASE("wire: an answer cut short anywhere is no answer") {
    for (std::size_t size = 0; size < kOff.size(); ++size)
        CHECK_FALSE(parse_answer(std::string_view(kOff).substr(0, size)).has_value());
}

TEST_CASE("wire: an answer with one wrong field is none, and the error names it") {
    struct Row {
        char const* from;
        char const* to;
        char const* field;
    };
    for (auto const& row : {
             Row{R"("power_status":"OFF")", R"("power_status":"off")", "power_status"},
             Row{R"("power_status":"OFF")", R"("power_status":0)", "power_status"},
             Row{R"("power_status":"OFF",)", "", "power_status"},
             Row{R"(_seconds":10)", R"(_seconds":0)", "heartbeat_interval_seconds"},
             Row{R"(_seconds":10)", R"(_seconds":3601)", "heartbeat_interval_seconds"},
             Row{R"(_seconds":10)", R"(_seconds":-1)", "heartbeat_interval_seconds"},
             Row{R"(_seconds":10)", R"(_seconds":1.5)", "heartbeat_interval_seconds"},
             Row{R"(_seconds":10)", R"(_seconds":"10")", "heartbeat_interval_seconds"},
             Row{R"("OFF.10.7")", R"("a\r\nX: y")", "manifest_version"},
             Row{R"("OFF.10.7")", R"("a\"b")", "manifest_version"},
             Row{R"("epoch":1,)", "", "head.epoch"},
             Row{R"("sequence":50)", R"("sequence":-50)", "head.sequence"},
             Row{R"("method":"suspend")", R"("method":"reboot")", "order.method"},
             Row{R"("method":"suspend")", R"("method":"sh -c")", "order.method"},
             Row{R"("sequence":7)", R"("sequence":0)", "order.sequence"},
             Row{R"("resume_count":2)", R"("resume_count":"2")", "order.resume_count"},
             Row{R"("signature":"s")", R"("signature":null)", "order.signature"},
             Row{R"("notice":"look")", R"("notice":{})", "notice"},
         }) {
        CAPTURE(row.to);
        auto const answer = parse_answer(with(row.from, row.to));
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().find(row.field) != std::string::npos);
    }
    for (auto const* body :
         {"", "null", "[]", "<html>", "{}", "OFF", "\"OFF\"", "{\"power_status\""})
        CHECK_FALSE(parse_answer(body).has_value());
    CHECK_FALSE(parse_answer(std::string(60'000, '[')).has_value());
    auto const order_is_text = with(R"("order":{"method")", R"("order":"x","was":{"method")");
    CHECK_FALSE(parse_answer(order_is_text).has_value());
}

TEST_CASE("wire: a heartbeat says what it has, and leaves out what it has not (3.3)") {
    Report report{
        .status = HeartbeatStatus::Stopping,
        .identity = {"b", 3},
        .report = microseconds(12'345'678),
        .nonce = "n",
    };
    CHECK(
        heartbeat_body(report, "0.1") ==
        R"({"status":"Stopping","boot_id":"b","resume_count":3,"report":12345678,"nonce":"n",)"
        R"("uptime_seconds":12,"agent_version":"0.1"})"
    );
    report.blocked_by = "hold: \"x\"";
    report.leaving = Leaving::Reboot;
    report.witness = Head{1, 2, "h", "m"};
    auto const body = heartbeat_body(report, "0.1");
    CHECK(body.find(R"("blocked_by":"hold: \"x\"")") != std::string::npos);
    CHECK(body.find(R"("leaving":"reboot")") != std::string::npos);
    CHECK(
        body.find(R"("witness":{"epoch":1,"sequence":2,"hash":"h","mac":"m"})") != std::string::npos
    );
}

TEST_CASE("wire: a join's answer needs a key that is one, and a token fit for a header") {
    std::string const key = "8k0l8nNcJpkfaqBqSr6aBGGXDxjMlmKLHCSzs8nUZrY=";
    auto const body = [](std::string const& token, std::string const& order_key) {
        return R"({"server_id":"srv_1","agent_token":")" + token + R"(","order_key":")" +
               order_key + R"("})";
    };
    CHECK(parse_join_answer(body("t", key)).has_value());
    CHECK_FALSE(parse_join_answer(body("t", key.substr(1))).has_value());
    CHECK_FALSE(parse_join_answer(body("t", "")).has_value());
    CHECK_FALSE(parse_join_answer(body("t\\r\\nX: y", key)).has_value());
}

TEST_CASE("wire: a line for people is UTF-8 without control characters, at most 200 bytes") {
    CHECK(plain_line("Wartung läuft 保守中（本番）") == "Wartung läuft 保守中（本番）");
    CHECK(plain_line("a\tb\x7f\n") == "a b  ");
    CHECK(plain_line("\xff\xc0\xaf x\xe4") == "??? x?");
    CHECK(plain_line(std::string(300, 'x')) == std::string(200, 'x'));
    std::string cut;
    for (int i = 0; i < 100; ++i)
        cut += "保";
    CHECK(plain_line(cut).size() == 198);
}

TEST_CASE("files: a file is replaced whole, and is its owner's alone") {
    char folder[] = "/tmp/cpm-agent-files-XXXXXX";
    REQUIRE(::mkdtemp(folder));
    auto const file = std::filesystem::path(folder) / "state.json";
    REQUIRE(write_file(file, "one", Durability::Durable).has_value());
    REQUIRE(write_file(file, "two", Durability::Volatile).has_value());
    CHECK(read_file(file) == std::string("two"));
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    REQUIRE(write_file(file, std::string(70'000, 'x'), Durability::Volatile).has_value());
    CHECK(read_file(file).error().find("state.json: is larger") != std::string::npos);
    CHECK(read_file(file.string() + ".no").error().find("No such file") != std::string::npos);
    std::filesystem::remove_all(folder);
}

TEST_CASE("wire: that this agent reports too often is told from a manager with too much to do") {
    CHECK(is_throttled(R"({"type": "/problems/throttled", "status": 429})"));
    for (auto const* other :
         {R"({"type": "/problems/too-many", "status": 429})", R"({"type": 429})", "{}", "[]", ""})
        CHECK_FALSE(is_throttled(other));
}
