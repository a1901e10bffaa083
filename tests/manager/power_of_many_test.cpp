// One power request for many servers, and what stands against an OFF (HTTP 3.2, "Guards").
#include "tests/manager/rig.hpp"

#include <algorithm>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::PowerStatus;
using manager::RequestPowerOfMany;
using Password = core::StepUp::Password;

namespace {

RequestPowerOfMany many(PowerStatus target, std::vector<core::ServerId> servers) {
    RequestPowerOfMany command;
    command.actor = kAlice;
    command.target = target;
    command.servers = std::move(servers);
    return command;
}

core::ServerId tagged(Rig& rig, std::string name, std::uint8_t number, std::string tag) {
    auto const id = rig.running(std::move(name), number);
    manager::UpdateServer edit;
    edit.actor = kAlice;
    edit.server = id;
    edit.edit = [&](core::ServerConfig& config) { config.tags = {tag}; };
    REQUIRE(rig.ask(std::move(edit)));
    return id;
}

/// What became of each: "accepted", "unchanged", or the refusal's number.
std::vector<std::string> words(core::Result<RequestPowerOfMany::Outcome> const& outcome) {
    REQUIRE_MESSAGE(outcome, (outcome ? "" : outcome.error().detail));
    std::vector<std::string> all;
    for (auto const& item : outcome->items)
        all.emplace_back(
            !item.outcome            ? "refused"
            : item.outcome->accepted ? "accepted"
                                     : "unchanged"
        );
    return all;
}

ErrorCode code(core::Result<RequestPowerOfMany::Outcome> const& outcome) {
    REQUIRE_FALSE(outcome);
    return outcome.error().code;
}

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("power of many: each is decided by itself, and a refusal does not stop the rest (3.2)") {
    Rig rig;
    auto const first = rig.running("first", 1);
    auto const off = rig.gone_off("off", 2);
    auto const busy = rig.running("busy", 3);
    rig.says_on(first);
    rig.wants(busy, PowerStatus::Off);
    auto const guarded = rig.running("guarded", 4);
    manager::UpdateServer protect;
    protect.actor = kAlice;
    protect.server = guarded;
    protect.edit = [](core::ServerConfig& config) { config.is_protected = true; };
    REQUIRE(rig.ask(std::move(protect)));
    core::ServerId const nobody{4711};
    auto const last = rig.running("last", 5);
    rig.happened();

    auto const outcome = rig.ask(many(PowerStatus::Off, {first, off, busy, guarded, nobody}));
    CHECK(words(outcome) == Words{"accepted", "unchanged", "refused", "refused", "refused"});
    CHECK(outcome->items[2].outcome.error().code == ErrorCode::StandbyOpen);
    CHECK(outcome->items[2].outcome.error().remaining_seconds > 0);
    CHECK(outcome->items[3].outcome.error().code == ErrorCode::Protected);
    CHECK(outcome->items[4].outcome.error().code == ErrorCode::NotFound);
    CHECK(rig.happened() == Names{"PowerRequested", "PowerRefused", "PowerRefused"});
    CHECK(outcome->items[0].outcome->sequence == rig.last("PowerRequested").sequence);
    CHECK(rig.actual(last) == "ON");

    // Each is a decision of its own.
    auto const refusals = rig.all("PowerRefused");
    CHECK(refusals[0].decision != refusals[1].decision);
    CHECK(refusals[1].server == guarded);
}

TEST_CASE("power of many: of a tag means all that have it when it is decided, by name (3.2)") {
    Rig rig;
    auto const b = tagged(rig, "b", 1, "gpu");
    auto const a = tagged(rig, "a", 2, "gpu");
    tagged(rig, "c", 3, "db");
    auto command = many(PowerStatus::Off, {});
    command.tag = "gpu";
    auto const outcome = rig.ask(command);
    CHECK(words(outcome) == Words{"accepted", "accepted"});
    CHECK(outcome->items[0].server == a);
    CHECK(outcome->items[1].server == b);
    command.tag = "none";
    CHECK(words(rig.ask(command)).empty());
}

TEST_CASE("power of many: the manager's own host goes OFF only when that is said (3.2)") {
    Rig rig;
    rig.own_macs = {{mac(1)}};
    auto const own = rig.running("own", 1);
    auto command = many(PowerStatus::Off, {own});
    CHECK(rig.ask(command)->items[0].outcome.error().code == ErrorCode::OwnHost);
    command.include_manager = true;
    CHECK(words(rig.ask(command)) == Words{"accepted"});
}

TEST_CASE("power of many: none goes OFF unasked while the manager's cards are unknown (3.2)") {
    Rig rig;
    rig.own_macs.reset();
    auto const first = rig.running("first", 1);
    auto const second = rig.running("second", 2);
    auto command = many(PowerStatus::Off, {first, second});
    CHECK(words(rig.ask(command)) == Words{"refused", "refused"});
    command.include_manager = true;
    CHECK(words(rig.ask(command)) == Words{"accepted", "accepted"});
}

TEST_CASE("power of many: min_on lets as many go as may, singly and at once (3.2)") {
    Rig rig;
    rig.set("min_on", R"({"gpu": 2})");
    std::vector<core::ServerId> servers;
    for (std::uint8_t i = 1; i <= 4; ++i)
        servers.push_back(tagged(rig, "n" + std::to_string(i), i, "gpu"));
    auto const outcome = rig.ask(many(PowerStatus::Off, servers));
    CHECK(words(outcome) == Words{"accepted", "accepted", "refused", "refused"});
    CHECK(outcome->items[2].outcome.error().code == ErrorCode::MinOn);
    manager::RequestPower singly;
    singly.actor = kAlice;
    singly.server = servers[3];
    CHECK(rig.ask(singly).error().code == ErrorCode::MinOn);
    CHECK(
        std::get<core::PowerRefused>(rig.last("PowerRefused").payload) ==
        core::PowerRefused{PowerStatus::Off, ErrorCode::MinOn}
    );
}

TEST_CASE("power: of two OFFs at once for the last slot of min_on exactly one wins (3.2)") {
    Rig rig;
    rig.set("min_on", R"({"gpu": 1})");
    auto const a = tagged(rig, "a", 1, "gpu");
    auto const b = tagged(rig, "b", 2, "gpu");
    std::optional<core::Result<manager::RequestPower::Outcome>> told[2];
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = a;
    rig.queue(command, told[0]);
    command.server = b;
    rig.queue(command, told[1]);
    REQUIRE(rig.round());
    CHECK(told[0].value()->accepted);
    CHECK(told[1].value().error().code == ErrorCode::MinOn);
}

TEST_CASE("power of many: unconfirmed, nothing happens but one refusal about no server (3.2)") {
    Rig rig;
    rig.set("confirm_above", "1");
    std::vector<core::ServerId> const servers{rig.running("a", 1), rig.running("b", 2)};
    rig.happened();
    auto command = many(PowerStatus::Off, servers);
    CHECK(code(rig.ask(command)) == ErrorCode::Confirm);
    command.proof.count = 3;
    CHECK(code(rig.ask(command)) == ErrorCode::Confirm);
    CHECK(rig.happened() == Names{"PowerRefused", "PowerRefused"});
    CHECK_FALSE(rig.last("PowerRefused").server);
    CHECK(rig.last("PowerRefused").actor == kAlice);
    command.proof.count = 2;
    CHECK(words(rig.ask(command)) == Words{"accepted", "accepted"});
    // ON of as many needs nothing.
    rig.pass(301s);
    CHECK(words(rig.ask(many(PowerStatus::On, servers))) == Words{"accepted", "accepted"});
}

TEST_CASE("power of many: a session's password holds five minutes, also over a restart (3.2)") {
    Rig rig;
    rig.set("confirm_above", "0");
    auto const session = rig.ask(manager::SetUp{"alice", "hashed", ""});
    REQUIRE(session);
    auto const server = rig.running("a", 1);
    auto command = many(PowerStatus::Off, {server});
    command.proof.session = manager::hash_secret(session->secret);
    command.proof.password = Password::Wrong; // also when it would not be needed
    CHECK(code(rig.ask(command)) == ErrorCode::Confirm);
    command.proof.password = Password::NotGiven;
    rig.pass(299s);
    CHECK(words(rig.ask(command)) == Words{"accepted"}); // signing in counts
    rig.pass(301s);
    CHECK(code(rig.ask(command)) == ErrorCode::Confirm);
    command.proof.password = Password::Right;
    CHECK(rig.ask(command));
    rig.restart();
    command.proof.password = Password::NotGiven;
    rig.pass(200s);
    CHECK(rig.ask(command)); // and so does giving it again
    rig.pass(100s);
    CHECK(code(rig.ask(command)) == ErrorCode::Confirm);
}

TEST_CASE("power of many: a session that ended while its password was looked at is no one (3.5)") {
    Rig rig;
    auto const session = rig.ask(manager::SetUp{"alice", "hashed", ""});
    auto command = many(PowerStatus::Off, {rig.running("a", 1)});
    command.proof.session = manager::hash_secret(session->secret);
    command.proof.password = Password::Right;
    REQUIRE(rig.ask(manager::SignOut{*command.proof.session}));
    rig.happened();
    CHECK(code(rig.ask(command)) == ErrorCode::NotSignedIn);
    CHECK(rig.happened().empty());
}

TEST_CASE("power of many: the wakes follow one another (3.2)") {
    Rig rig;
    std::vector<core::ServerId> servers;
    for (std::uint8_t i = 1; i <= 5; ++i)
        servers.push_back(rig.add("n" + std::to_string(i), {mac(i)}));
    auto const asked = rig.clock.now().mono;
    REQUIRE(rig.ask(many(PowerStatus::On, servers)));
    rig.pass(900ms);
    CHECK(rig.packets(asked) == std::vector<long>{0, 200, 400, 600, 800});
}

TEST_CASE("servers: removing one that is not OFF is confirmed by a session's password (3.2)") {
    Rig rig;
    auto const session = rig.ask(manager::SetUp{"alice", "hashed", ""});
    auto const on = rig.running("on", 1);
    auto const off = rig.gone_off("off", 2);
    rig.pass(301s);
    manager::RemoveServer command;
    command.actor = kAlice;
    command.proof.session = manager::hash_secret(session->secret);
    command.server = off;
    CHECK(rig.ask(command));
    command.server = on;
    CHECK(rig.ask(command).error().code == ErrorCode::Conflict); // ?force=true
    command.force = true;
    rig.happened();
    CHECK(rig.ask(command).error().code == ErrorCode::Confirm);
    command.proof.password = Password::Wrong;
    CHECK(rig.ask(command).error().code == ErrorCode::Confirm);
    CHECK(rig.happened().empty()); // no power request was refused
    command.proof.password = Password::Right;
    CHECK(rig.ask(command));
}
