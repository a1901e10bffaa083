// What a person asks for beside ON: one more packet, all servers at once (HTTP 3.2, 3.4).
#include "manager/wake_commands.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::PowerStatus;

namespace {

manager::WakeServer once_more(core::ServerId server) {
    return {kAlice, server};
}

core::WakeSent sent_by(core::Event const& event) {
    return std::get<core::WakeSent>(event.payload);
}

/// A server that was up and is OFF.
core::ServerId gone_down(Rig& rig, std::string name) {
    auto const id = rig.running(std::move(name), 1);
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    rig.pass(301s);
    REQUIRE(rig.actual(id) == "OFF");
    return id;
}

} // namespace

TEST_CASE("wake: one more packet is no power request, and its event names who asked (HTTP 3.2)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1), mac(2)});
    auto const request = rig.wants(id, PowerStatus::On);
    auto const asked = rig.clock.now().mono;
    rig.pass(3500ms); // rounds at 0, 1 and 3 s; the next at 7 s
    rig.happened();
    auto const outcome = rig.ask(once_more(id));
    REQUIRE(outcome);
    CHECK(rig.happened() == Names{"WakeSent", "WakeSent"});
    auto const events = rig.all("WakeSent");
    auto const& last = events.back();
    CHECK(last.actor == kAlice);
    CHECK(last.cause == request);
    CHECK(outcome->sequence == events[events.size() - 2].sequence);
    REQUIRE(outcome->sent.size() == 2);
    CHECK(outcome->sent[0].mac == mac(1));
    CHECK(outcome->sent[1] == sent_by(last));
    CHECK(outcome->relay.empty());
    CHECK(rig.actual(id) == "Starting");
    // The manager's own go on as if nothing had been asked.
    CHECK(rig.server(id).wakes.rounds == 3);
    rig.pass(3s);
    CHECK(rig.packets(asked).size() == 8);
    rig.pass(700ms);
    CHECK(rig.packets(asked).size() == 10);
    CHECK(rig.packets(asked).back() >= 7000);
}

TEST_CASE("wake: one more packet may close the standby time of a settled server (1.4, HTTP 3.2)") {
    Rig rig;
    auto const id = rig.enrolled("n", 1);
    rig.wants(id, PowerStatus::On);
    rig.pass(0s);
    rig.says_on(id);
    rig.set("release_standby_when_settled", "true");
    rig.happened();
    auto const told = rig.ask(once_more(id));
    REQUIRE(told);
    CHECK(told->sent.size() == 1);
    CHECK(told->sequence == rig.last("WakeSent").sequence);
    CHECK(rig.happened() == Names{"WakeSent", "StandbyReleased"});
}

TEST_CASE("wake: one more packet only for a server that is asked to be ON (HTTP 3.2)") {
    Rig rig;
    auto const off = gone_down(rig, "off");
    auto const without = rig.add("without", {});
    rig.wants(without, PowerStatus::On);
    rig.happened();
    auto const refusal = [&](core::ServerId id) {
        auto const outcome = rig.ask(once_more(id));
        REQUIRE_FALSE(outcome);
        return outcome.error();
    };
    CHECK(refusal(off).code == core::ErrorCode::Conflict);
    CHECK(refusal(off).detail.starts_with("nobody asked for off to be ON"));
    CHECK(refusal(without).code == core::ErrorCode::Conflict);
    CHECK(refusal(without).detail == "without has no MAC address: add one, or join its machine");
    CHECK(refusal({0x123}).code == core::ErrorCode::NotFound);
    CHECK(rig.happened().empty());
    CHECK(rig.sender.sent.empty());

    // Turned on by hand: ON without a request.
    rig.says_on(off, 2);
    auto const adopted = rig.ask(once_more(off));
    REQUIRE(adopted);
    CHECK_FALSE(adopted->sent.at(0).request);
}

TEST_CASE("wake: all are asked to be ON at once, each for itself (HTTP 3.4)") {
    Rig rig;
    auto const b = rig.add("b", {mac(1)});
    auto const c = rig.add("c", {mac(2)});
    auto const a = rig.running("a", 3);
    rig.wants(c, PowerStatus::On);
    rig.happened();
    auto const outcome = rig.ask(manager::WakeAll{kAlice});
    REQUIRE(outcome);
    REQUIRE(outcome->size() == 3);
    CHECK((*outcome)[0].first == "a");
    CHECK_FALSE((*outcome)[0].second->accepted); // it is ON
    CHECK((*outcome)[1].first == "b");
    CHECK((*outcome)[1].second->accepted);
    CHECK((*outcome)[2].first == "c");
    CHECK((*outcome)[2].second.error().code == core::ErrorCode::StandbyOpen);
    auto const asked = rig.all("PowerRequested");
    CHECK(asked.back().server == b);
    CHECK(asked.back().actor == kAlice);
    CHECK(rig.all("PowerRefused").back().server == c);
    CHECK(rig.actual(a) == "ON");
}
