// The agent as a relay (wake-on-lan, "Relays"): what it reads, sends and reports.
#include "agent/relay.hpp"
#include "tests/agent/bench.hpp"

using namespace cpm::agent;
using namespace cpm::agent::test;
namespace wol = cpm::wol;

namespace {

class Sender final : public wol::WakeSender {
  public:
    wol::WakeResult send(wol::WakeTarget const& target) override {
        sent.push_back(target);
        if (!failure.empty())
            return tl::make_unexpected(failure);
        return "UDP";
    }
    bool is_local(wol::Ipv4Address const&) override { return true; }

    std::vector<wol::WakeTarget> sent;
    std::string failure;
};

std::string answer_with(std::string const& wake) {
    return R"({"power_status":"ON","heartbeat_interval_seconds":10,"manifest_version":"ON.10",)"
           R"("head":{"epoch":1,"sequence":50,"hash":"ab","mac":"cd"},"wake":)" +
           wake + "}";
}

WakeAsk ask(std::string id) {
    return {.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}, .secure_on = std::nullopt, .id = id};
}

} // namespace

TEST_CASE("relay: the wakes of an answer are read (3.3)") {
    auto const answer = parse_answer(answer_with(
        R"([{"mac_address":"52:54:00:12:34:56","id":"wake_1","future":[]},)"
        R"({"mac_address":"02:AA:bb:00:00:01","secure_on":"c0000201","id":"wake_2"},)"
        R"({"mac_address":"02:00:00:00:00:02","secure_on":"0102030405ff","id":"wake_3"}])"
    ));
    REQUIRE_MESSAGE(answer, answer.error());
    REQUIRE(answer->wake.size() == 3);
    CHECK(answer->wake[0].mac == wol::MacAddress{0x52, 0x54, 0, 0x12, 0x34, 0x56});
    CHECK_FALSE(answer->wake[0].secure_on);
    CHECK(answer->wake[0].id == "wake_1");
    CHECK(answer->wake[1].mac == wol::MacAddress{2, 0xAA, 0xBB, 0, 0, 1});
    CHECK(answer->wake[1].secure_on == wol::SecureOn{std::array<std::uint8_t, 4>{192, 0, 2, 1}});
    CHECK(
        answer->wake[2].secure_on == wol::SecureOn{std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 255}}
    );
    CHECK(parse_answer(answer_with("null"))->wake.empty());
    CHECK(parse_answer(answer_with("[]"))->wake.empty());
}

TEST_CASE("relay: a wake that names no card, or is wrong anywhere, makes no answer (3.3)") {
    std::string many = "[";
    for (int i = 0; i < 33; ++i)
        many +=
            fmt::format(R"({}{{"mac_address":"02:00:00:00:00:01","id":"{}"}})", i ? "," : "", i);
    std::string const long_id(65, 'x');
    for (auto const& wake : {
             std::string(R"({})"),
             std::string(R"("52:54:00:12:34:56")"),
             std::string(R"(["52:54:00:12:34:56"])"),
             std::string(R"([{"id":"wake_1"}])"),
             std::string(R"([{"mac_address":"52:54:00:12:34:56"}])"),
             std::string(R"([{"mac_address":"52:54:00:12:34:56","id":""}])"),
             R"([{"mac_address":"52:54:00:12:34:56","id":")" + long_id + R"("}])",
             std::string(R"([{"mac_address":"52:54:00:12:34","id":"w"}])"),
             std::string(R"([{"mac_address":"52-54-00-12-34-56","id":"w"}])"),
             std::string(R"([{"mac_address":"52:54:00:12:34:5g","id":"w"}])"),
             std::string(R"([{"mac_address":"ff:ff:ff:ff:ff:ff","id":"w"}])"),
             std::string(R"([{"mac_address":"01:00:5e:00:00:01","id":"w"}])"),
             std::string(R"([{"mac_address":"00:00:00:00:00:00","id":"w"}])"),
             std::string(R"([{"mac_address":"52:54:00:12:34:56","secure_on":"c0","id":"w"}])"),
             std::string(R"([{"mac_address":"52:54:00:12:34:56","secure_on":7,"id":"w"}])"),
             many + "]",
         }) {
        CAPTURE(wake);
        auto const answer = parse_answer(answer_with(wake));
        REQUIRE_FALSE(answer);
        CHECK(answer.error().starts_with("wake: "));
    }
}

TEST_CASE("relay: each wake is sent once, and reported until the manager has taken it (Relay)") {
    Sender sender;
    std::vector<std::string> journal;
    std::function<void(std::string_view)> const report = [&](std::string_view line) {
        journal.emplace_back(line);
    };
    Relay relay(sender, report);
    auto secret = ask("b");
    secret.secure_on = wol::SecureOn{std::array<std::uint8_t, 4>{192, 0, 2, 1}};
    CHECK(relay.take({ask("a"), secret}));
    REQUIRE(sender.sent.size() == 2);
    auto const& target = sender.sent[1];
    CHECK(target.mac == wol::MacAddress{0x52, 0x54, 0, 0x12, 0x34, 0x56});
    CHECK(target.secure_on == secret.secure_on);
    CHECK(target.broadcast_address == wol::kLimitedBroadcast);
    CHECK(target.ports == std::vector<std::uint16_t>{9});
    CHECK_FALSE(target.interface);
    CHECK(journal.at(0) == "sent a magic packet for 52:54:00:12:34:56 (UDP)");

    CHECK(relay.woke() == std::vector<std::string>{"a", "b"});
    // The report is lost: the manager asks again, and this is no new wake.
    CHECK_FALSE(relay.take({ask("a"), secret}));
    CHECK(relay.woke() == std::vector<std::string>{"a", "b"});
    CHECK(relay.take({ask("a"), secret, ask("c")}));
    CHECK(sender.sent.size() == 3);
    // It is taken, but c was not in it.
    relay.acknowledged();
    CHECK(relay.woke() == std::vector<std::string>{"c"});
    relay.acknowledged();
    CHECK(relay.woke().empty());
    CHECK(relay.take({ask("a")})); // asked anew
}

TEST_CASE("relay: what could not be sent is not reported as sent (Relay)") {
    Sender sender;
    sender.failure = "no interface of this machine is up";
    std::vector<std::string> journal;
    std::function<void(std::string_view)> const report = [&](std::string_view line) {
        journal.emplace_back(line);
    };
    Relay relay(sender, report);
    CHECK_FALSE(relay.take({ask("a")}));
    CHECK(relay.woke().empty());
    CHECK(
        journal.at(0) == "sent no magic packet for 52:54:00:12:34:56: no interface of this machine "
                         "is up"
    );
}

TEST_CASE("relay: what was sent is in the next report, which comes soon (3.3)") {
    Report report;
    report.woke = {"wake_1", "wake_2"};
    CHECK(heartbeat_body(report, "1").find(R"("woke":["wake_1","wake_2"])") != std::string::npos);
    CHECK(heartbeat_body(Report{}, "1").find("woke") == std::string::npos);

    Bench bench;
    bench.come_up();
    REQUIRE(std::holds_alternative<HoldManifest>(bench.next()));
    bench.tell(bench.on());
    bench.conduct.report_soon();
    // Not faster than once a second, whoever asks for however many wakes.
    for (int i = 0; i < 3; ++i) {
        auto const before = bench.now;
        bench.report();
        CHECK(bench.now - before == seconds(1));
        bench.tell(bench.on());
        bench.conduct.report_soon();
    }
}
