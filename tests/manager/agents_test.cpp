// What agents ask (HTTP 3.3), and what people do to them.
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

std::string join_token(Rig& rig, core::ServerId server, bool any_machine = false) {
    auto const token = rig.ask(manager::CreateJoinToken{kAlice, server, any_machine});
    REQUIRE(token);
    return token->join_token;
}

manager::JoinAgent join(std::string token, std::vector<core::MacAddress> macs) {
    manager::JoinAgent command;
    command.join_token = std::move(token);
    command.machine = {"host", std::move(macs)};
    command.agent_version = "1.2.3";
    command.os = "Debian 12";
    command.address = "192.0.2.7";
    return command;
}

template <class T>
ErrorCode code(core::Result<T> const& outcome) {
    REQUIRE_FALSE(outcome);
    return outcome.error().code;
}

manager::Accounts accounts(Rig const& rig) {
    manager::Accounts known;
    for (auto const& record : rig.heard().records())
        REQUIRE(known.apply(record));
    return known;
}

bool holds_credential(Rig const& rig, std::string const& token) {
    return accounts(rig).find_agent(manager::hash_secret(token)) != nullptr;
}

core::Asker asker(std::uint8_t boot_number, core::OrderWay way = core::OrderWay::Manifest) {
    return {.identity = boot(boot_number), .nonce = "nonce", .way = way};
}

} // namespace

TEST_CASE("join: of two machines that race for one token exactly one wins (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1), mac(2)});
    auto const token = join_token(rig, id);
    rig.happened();
    std::optional<core::Result<manager::JoinAgent::Outcome>> first;
    std::optional<core::Result<manager::JoinAgent::Outcome>> second;
    rig.queue(join(token, {mac(1)}), first);
    rig.queue(join(token, {mac(2)}), second);
    REQUIRE(rig.round());
    REQUIRE(first.value());
    CHECK(code(*second) == ErrorCode::NotSignedIn);
    CHECK(rig.happened() == Names{"AgentJoined"});
    CHECK(first.value()->server == id);
    CHECK(first.value()->heartbeat_interval == 10s);
    CHECK(holds_credential(rig, first.value()->agent_token));
    CHECK(code(rig.ask(join(token, {mac(1)}))) == ErrorCode::NotSignedIn);
    auto const& agent = rig.server(id).agent;
    CHECK(agent.enrolled);
    CHECK(agent.hostname == "host");
    CHECK(agent.version == "1.2.3");
    CHECK(agent.address == "192.0.2.7");
}

TEST_CASE("join: a token expires after 24 hours, and dies with its server (HTTP 3.2)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const early = join_token(rig, id);
    rig.pass(24h - 1s);
    CHECK(rig.ask(join(early, {mac(1)})));
    auto const late = join_token(rig, id);
    rig.pass(24h + 1s);
    CHECK(code(rig.ask(join(late, {mac(1)}))) == ErrorCode::NotSignedIn);
    auto const orphan = join_token(rig, id);
    REQUIRE(rig.ask(manager::RemoveServer{kAlice, id, {}, true}));
    CHECK(code(rig.ask(join(orphan, {mac(1)}))) == ErrorCode::NotSignedIn);
}

TEST_CASE("join: the wrong machine is refused, naming both, and the token is not spent (HTTP 3.3)"
) {
    Rig rig;
    auto const id = rig.add("node1", {mac(1)});
    rig.add("node2", {mac(2)});
    auto const token = join_token(rig, id);
    auto const other = rig.ask(join(token, {mac(2)}));
    CHECK(code(other) == ErrorCode::WrongMachine);
    CHECK(other.error().detail.find("node1") != std::string::npos);
    CHECK(other.error().detail.find("node2") != std::string::npos);
    CHECK(code(rig.ask(join(token, {mac(3)}))) == ErrorCode::WrongMachine);
    CHECK(rig.ask(join(token, {mac(1), mac(4)})));
    CHECK(rig.server(id).config.mac_addresses == std::vector{mac(1), mac(4)});

    auto const any = join_token(rig, id, true);
    CHECK(rig.ask(join(any, {mac(2), mac(5)})));
    CHECK(rig.server(id).config.mac_addresses == std::vector{mac(1), mac(4), mac(5)});
}

TEST_CASE("join: no server gets more cards than may be edited, so that it can be (HTTP 3.2)") {
    Rig rig;
    std::vector<core::MacAddress> cards;
    for (std::uint8_t i = 0; i < 32; ++i)
        cards.push_back(mac(i));
    auto const id = rig.add("n", cards);
    auto const token = join_token(rig, id);
    auto const joined = rig.ask(join(token, {mac(0), mac(40)}));
    CHECK(code(joined) == ErrorCode::Validation);
    CHECK(joined.error().fields.at(0).field == "mac_addresses");
    CHECK(rig.ask(join(token, cards)));
}

TEST_CASE("join: it ends the credential before it, and being set aside (1.4)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const old = rig.join(id, {mac(1)});
    rig.says_on(id, 1);
    rig.says_on(id, 2);
    rig.says_on(id, 1); // a clone
    rig.says_on(id, 1);
    REQUIRE(rig.server(id).state.set_aside);
    auto const fresh = rig.join(id, {mac(1)});
    CHECK_FALSE(holds_credential(rig, old));
    CHECK(holds_credential(rig, fresh));
    CHECK_FALSE(rig.server(id).state.set_aside);
    CHECK_FALSE(rig.server(id).state.boot);
}

TEST_CASE("heartbeat: a report while ON is answered ON, with no order (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.happened();
    auto const told = rig.says_on(id);
    CHECK(told.manifest.power_status == PowerStatus::On);
    CHECK_FALSE(told.manifest.order);
    CHECK(told.version == "ON.10");
    CHECK(rig.happened() == Names{"HeartbeatReceived"});
}

TEST_CASE("heartbeat: an order is for this boot, nonce and request, each time anew (1.0)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const asked = rig.wants(id, PowerStatus::Off);
    for (auto status :
         {HeartbeatStatus::On, HeartbeatStatus::Stopping, HeartbeatStatus::Stopping}) {
        auto const told = rig.says(id, report(status));
        CHECK(told.version == "OFF.10." + std::to_string(asked.value));
        REQUIRE(told.manifest.order);
        auto const& order = *told.manifest.order;
        CHECK(order.server == id);
        CHECK(order.identity == boot(1));
        CHECK(order.nonce == "nonce");
        CHECK(order.request == asked);
    }
    CHECK(rig.all("OrderSent").size() == 3);
}

TEST_CASE("heartbeat: the machine turned on by hand hears ON in that very answer (1.4)") {
    Rig rig;
    auto const id = rig.gone_off("n", 1);
    rig.happened();
    auto const told = rig.says_on(id, 2);
    CHECK(told.manifest.power_status == PowerStatus::On);
    CHECK(rig.happened() == Names{"HeartbeatReceived", "PowerAdopted"});
    CHECK(rig.actual(id) == "ManuallyON");
}

TEST_CASE("heartbeat: another boot is never told OFF, whatever it says (1.0)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    auto const told = rig.says_stopping(id, 2);
    CHECK(told.manifest.power_status == PowerStatus::On);
    CHECK(rig.says_stopping(id, 2).manifest.power_status == PowerStatus::On);
    CHECK(rig.all("OrderSent").empty());
}

TEST_CASE("heartbeat: an agent that cannot verify is told ON and why, unless it may (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    auto plain = report(HeartbeatStatus::On);
    plain.nonce.clear();
    auto told = rig.says(id, plain);
    CHECK(told.manifest.power_status == PowerStatus::On);
    CHECK(told.manifest.notice == core::Notice::CannotVerify);
    CHECK(rig.all("OrderSent").empty());
    manager::UpdateServer allow;
    allow.actor = kAlice;
    allow.server = id;
    allow.edit = [](core::ServerConfig& config) { config.allow_unsigned = true; };
    REQUIRE(rig.ask(std::move(allow)));
    told = rig.says(id, plain);
    CHECK(told.manifest.power_status == PowerStatus::Off);
    CHECK_FALSE(told.manifest.order);
    auto const sent = std::get<core::OrderSent>(rig.last("OrderSent").payload);
    CHECK(sent.nonce.empty());
    CHECK(sent.identity == boot(1));
}

TEST_CASE("heartbeat: a stale report does not count and gets no order (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto numbered = report(HeartbeatStatus::On);
    numbered.report = 10;
    rig.says(id, numbered);
    rig.wants(id, PowerStatus::Off);
    rig.happened();
    auto const told = rig.says(id, numbered);
    CHECK(told.manifest.power_status == PowerStatus::On);
    CHECK(told.manifest.notice == core::Notice::Ignored);
    CHECK(told.manifest.heartbeat_interval == 10s);
    CHECK(rig.happened() == Names{"ReportIgnored"});
}

TEST_CASE("heartbeat: an ignored report does not keep a server from being lost (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.says_on(id, 2);
    rig.pass(29s);
    rig.says_on(id, 1); // replaced before
    rig.pass(1100ms);
    CHECK(rig.actual(id) == "Crashed");
}

TEST_CASE("set aside: a clone's second report sets the agent aside: OFF refused, ON not (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.says_on(id, 2);
    rig.says_on(id, 1);
    CHECK_FALSE(rig.server(id).state.set_aside);
    rig.happened();
    rig.says_on(id, 1);
    CHECK(rig.happened() == Names{"ReportIgnored", "AgentSetAside"});
    manager::RequestPower off;
    off.actor = kAlice;
    off.server = id;
    CHECK(code(rig.ask(off)) == ErrorCode::SetAside);
    REQUIRE(rig.ask(manager::ReinstateAgent{kAlice, id}));
    CHECK(code(rig.ask(manager::ReinstateAgent{kAlice, id})) == ErrorCode::Conflict);
    CHECK(rig.ask(off));
}

TEST_CASE("manifest: an OFF handed out over a held call is an event of its request (1.6)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const asked = rig.wants(id, PowerStatus::Off);
    rig.happened();
    auto const told = rig.ask(manager::AskManifest{id, asker(1)});
    REQUIRE(told);
    REQUIRE(told->manifest.order);
    CHECK(told->manifest.order->request == asked);
    CHECK(rig.happened() == Names{"OrderSent"});
    CHECK(rig.last("OrderSent").cause == asked);
    CHECK(std::get<core::OrderSent>(rig.last("OrderSent").payload).way == core::OrderWay::Manifest);
    for (auto const& stranger : {asker(2), core::Asker{.way = core::OrderWay::Manifest}}) {
        auto const on = rig.ask(manager::AskManifest{id, stranger});
        REQUIRE(on);
        CHECK(on->manifest.power_status == PowerStatus::On);
    }
    CHECK(rig.happened().empty());
}

TEST_CASE("manifest: two held calls at once hand out the same order (1.0)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    std::optional<core::Result<manager::ManifestOutcome>> told[2];
    rig.queue(manager::AskManifest{id, asker(1)}, told[0]);
    rig.queue(manager::AskManifest{id, asker(1)}, told[1]);
    REQUIRE(rig.round());
    CHECK(told[0].value()->manifest == told[1].value()->manifest);
}

TEST_CASE("agents: of a removed server, they are told that it is gone (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const token = rig.join(id, {mac(1)});
    std::optional<core::Result<manager::RemoveServer::Outcome>> removed;
    std::optional<core::Result<manager::ManifestOutcome>> heartbeat;
    rig.queue(manager::RemoveServer{kAlice, id, {}, true}, removed);
    rig.queue(manager::ReceiveHeartbeat{id, report(HeartbeatStatus::On)}, heartbeat);
    REQUIRE(rig.round());
    CHECK(removed.value());
    CHECK(code(*heartbeat) == ErrorCode::Gone);
    CHECK(code(rig.ask(manager::AskManifest{id, asker(1)})) == ErrorCode::Gone);
    CHECK(holds_credential(rig, token)); // so that the next call is answered 410, not 401
}

TEST_CASE("revoke: the credential ends, also for what was under way, and once (HTTP 3.2)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const token = rig.join(id, {mac(1)});
    rig.says_on(id);
    manager::RequestPower off;
    off.actor = kAlice;
    off.server = id;
    REQUIRE(rig.ask(off));
    rig.happened();
    std::optional<core::Result<manager::RevokeAgent::Outcome>> revoked;
    std::optional<core::Result<manager::ManifestOutcome>> heartbeat;
    std::optional<core::Result<manager::ManifestOutcome>> held;
    rig.queue(manager::RevokeAgent{kAlice, id}, revoked);
    rig.queue(manager::ReceiveHeartbeat{id, report(HeartbeatStatus::On)}, heartbeat);
    rig.queue(manager::AskManifest{id, asker(1)}, held);
    REQUIRE(rig.round());
    CHECK(revoked.value());
    CHECK(code(*heartbeat) == ErrorCode::NotSignedIn);
    CHECK(code(*held) == ErrorCode::NotSignedIn);
    CHECK(rig.happened() == Names{"AgentRevoked"});
    CHECK_FALSE(holds_credential(rig, token));
    CHECK(code(rig.ask(manager::RevokeAgent{kAlice, id})) == ErrorCode::NotFound);
}
