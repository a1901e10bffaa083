// Nothing is published, answered or sent before it is durable (status model 1.0, 1.6).
#include "manager/wake_commands.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::PowerStatus;

namespace {

manager::RequestPower request(core::ServerId server, PowerStatus target) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = target;
    return command;
}

std::string to(std::string_view what, core::Sequence sequence) {
    return std::string(what) + " to " + std::to_string(sequence.value);
}

/// The rest of a journal without the witness, whose moments are another case's matter.
Names without_witness(Journal const& journal) {
    Names lines;
    for (auto const& line : journal.lines())
        if (!line.starts_with("witness"))
            lines.push_back(line);
    return lines;
}

} // namespace

TEST_CASE("effects: durable, published, answered, and only then the packet (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.journal.clear();
    auto const asked = rig.wants(id, PowerStatus::On);
    CHECK(
        without_witness(rig.journal) ==
        Names{to("durable", asked), to("published", asked), "answered"}
    );
    rig.journal.clear();
    rig.pass(0s);
    CHECK(
        without_witness(rig.journal) ==
        Names{
            "packet to 52:54:00:00:00:01",
            to("durable", asked.next()),
            to("published", asked.next()),
        }
    );
}

TEST_CASE("effects: one more packet asked for in the round of the ON does not go before it (1.6)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.journal.clear();
    std::optional<core::Result<manager::RequestPower::Outcome>> on;
    std::optional<core::Result<manager::WakeServer::Outcome>> once_more;
    rig.queue(request(id, PowerStatus::On), on);
    rig.queue(manager::WakeServer{kAlice, id}, once_more);
    REQUIRE(rig.round());
    auto const asked = on.value()->sequence;
    CHECK(
        without_witness(rig.journal) ==
        Names{to("durable", asked), to("published", asked), "answered", "answered"}
    );
    CHECK(once_more.value()->sent.empty());
    rig.pass(0s);
    CHECK(rig.sender.sent.size() == 1);
    REQUIRE(rig.ask(manager::WakeServer{kAlice, id}));
    CHECK(rig.sender.sent.size() == 2);
}

TEST_CASE(
    "effects: one more packet asked for in the round of an adoption does not go before it (1.6)"
) {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    REQUIRE(rig.server(id).state.power == PowerStatus::Off);
    rig.journal.clear();
    std::optional<core::Result<manager::ManifestOutcome>> heartbeat;
    std::optional<core::Result<manager::WakeServer::Outcome>> once_more;
    rig.queue(manager::ReceiveHeartbeat{id, report(core::HeartbeatStatus::On)}, heartbeat);
    rig.queue(manager::WakeServer{kAlice, id}, once_more);
    REQUIRE(rig.round());
    CHECK(rig.last("PowerAdopted").server == id);
    auto const head = rig.log().head().sequence;
    CHECK(
        without_witness(rig.journal) ==
        Names{to("durable", head), to("published", head), "answered", "answered"}
    );
    CHECK(once_more.value()->sent.empty());
}

TEST_CASE("effects: all that waits shares one append and is answered after it (2.2)") {
    Rig rig;
    auto const a = rig.running("a", 1);
    auto const b = rig.running("b", 2);
    rig.journal.clear();
    std::optional<core::Result<manager::ManifestOutcome>> heartbeat;
    std::optional<core::Result<manager::RequestPower::Outcome>> off;
    std::optional<core::Result<manager::RequestPower::Outcome>> unchanged;
    rig.queue(manager::ReceiveHeartbeat{a, report(core::HeartbeatStatus::On)}, heartbeat);
    rig.queue(request(a, PowerStatus::Off), off);
    rig.queue(request(b, PowerStatus::On), unchanged);
    REQUIRE(rig.round());
    auto const head = rig.log().head().sequence;
    CHECK(
        without_witness(rig.journal) ==
        Names{to("durable", head), to("published", head), "answered", "answered", "answered"}
    );
    CHECK(off.value()->accepted);
    CHECK_FALSE(unchanged.value()->accepted);
}

TEST_CASE("effects: an OFF is an event before its agent hears it, in the same decision (1.6)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const asked = rig.wants(id, PowerStatus::Off);
    rig.journal.clear();
    rig.happened();
    auto const told = rig.says_on(id);
    REQUIRE(told.manifest.order);
    CHECK(rig.happened() == Names{"HeartbeatReceived", "OrderSent"});
    auto const sent = rig.last("OrderSent");
    CHECK(sent.decision == rig.last("HeartbeatReceived").sequence);
    CHECK(std::get<core::OrderSent>(sent.payload).request == asked);
    CHECK(
        without_witness(rig.journal) ==
        Names{
            to("durable", sent.sequence),
            to("published", sent.sequence),
            "answered",
        }
    );
}

TEST_CASE("effects: a round in which nothing happens writes and publishes nothing (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.journal.clear();
    auto const told = rig.ask(manager::AskManifest{id, {}});
    REQUIRE(told);
    CHECK(told->manifest.power_status == PowerStatus::On);
    CHECK(without_witness(rig.journal) == Names{"answered"});
}

TEST_CASE("effects: if the append fails all that waited hear why, and nothing else does (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.journal.clear();
    rig.happened();
    rig.log().append_fails = true;
    std::optional<core::Result<manager::RequestPower::Outcome>> off;
    std::optional<core::Result<manager::RequestPower::Outcome>> refused;
    std::optional<core::Result<manager::ManifestOutcome>> heartbeat;
    rig.queue(request(id, PowerStatus::Off), off);
    rig.queue(request(id, PowerStatus::On), refused);
    rig.queue(manager::ReceiveHeartbeat{id, report(core::HeartbeatStatus::On)}, heartbeat);
    auto const round = rig.round();
    REQUIRE_FALSE(round);
    CHECK(off.value().error().code == core::ErrorCode::Storage);
    CHECK(refused.value().error().code == core::ErrorCode::Storage);
    CHECK(heartbeat.value().error().code == core::ErrorCode::Storage);
    CHECK(rig.happened().empty());
    CHECK(without_witness(rig.journal) == Names{"answered", "answered", "answered"});

    // For good, also when the disk is well again.
    rig.log().append_fails = false;
    auto const later = rig.ask(request(id, PowerStatus::Off));
    CHECK(later.error() == round.error());
    CHECK_FALSE(rig.round());
    CHECK_FALSE(rig.engine().next_due());
    CHECK_FALSE(rig.engine().stop());
    CHECK(rig.happened().empty());
    CHECK(rig.engine().readiness() == manager::Readiness::Fenced);
}

TEST_CASE("effects: the witness follows at least every second, ticks of 250 ms given (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.pass(5s);
    auto witnessed = rig.clock.now().mono;
    for (int i = 0; i < 40; ++i) {
        rig.journal.clear();
        rig.clock.advance(250100us); // a thread that wakes up a little late
        if (i % 3 == 0)
            rig.says_on(id);
        REQUIRE(rig.round());
        for (auto const& line : rig.journal.lines())
            if (line.starts_with("witness"))
                witnessed = rig.clock.now().mono;
        CHECK(rig.clock.now().mono - witnessed < 750ms);
    }
}

TEST_CASE("effects: a witness that cannot be written ends the engine after the answers (2.2)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.pass(5s);
    rig.clock.advance(1s);
    rig.log().witness_fails = true;
    std::optional<core::Result<manager::ManifestOutcome>> told;
    rig.queue(manager::ReceiveHeartbeat{id, report(core::HeartbeatStatus::On)}, told);
    CHECK_FALSE(rig.round());
    CHECK(told.value()); // it is durable
    CHECK_FALSE(rig.round());
}
