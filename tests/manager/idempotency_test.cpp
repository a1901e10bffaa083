// One answer for one Idempotency-Key (HTTP 3.1).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::PowerStatus;

namespace {

core::Hash request_hash(std::uint8_t number) {
    core::Hash hash{};
    hash[0] = number;
    return hash;
}

manager::IdempotencyKey key(std::string name, std::uint8_t request = 1) {
    return {"user:alice", std::move(name), request_hash(request)};
}

template <class Command>
using Render = std::function<manager::Answer(manager::Turn const&, typename Command::Outcome&&)>;

manager::Rendered<manager::RequestPower>
keyed_power(core::ServerId server, PowerStatus target, manager::IdempotencyKey with) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = target;
    Render<manager::RequestPower> render = [](manager::Turn const&, auto&& outcome) {
        auto const text = outcome.accepted ? "accepted" : "unchanged";
        return manager::Answer{outcome.accepted ? 202 : 200, text, text};
    };
    return {std::move(command), std::move(with), std::move(render)};
}

manager::Rendered<manager::CreateToken> keyed_token(manager::IdempotencyKey with) {
    Render<manager::CreateToken> render = [](manager::Turn const&, auto&& outcome) {
        return manager::Answer{201, "token " + outcome.secret, "token null"};
    };
    return {
        manager::CreateToken{kAlice, "ci", core::Role::Viewer, {}},
        std::move(with),
        std::move(render)};
}

} // namespace

TEST_CASE("idempotency: the same key and request is answered the same, without an event (3.1)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.happened();
    auto const first = rig.ask(keyed_power(id, PowerStatus::Off, key("k")));
    REQUIRE(first);
    CHECK(first->status == 202);
    auto const again = rig.ask(keyed_power(id, PowerStatus::Off, key("k")));
    REQUIRE(again);
    CHECK(again->status == 202);
    CHECK(again->body == "accepted");
    CHECK(rig.happened() == Names{"PowerRequested"});
}

TEST_CASE("idempotency: it holds within one round and over a restart from disk (3.1)") {
    Rig rig(Disk::RocksDb);
    auto const id = rig.running("n", 1);
    rig.happened();
    std::optional<core::Result<manager::Answer>> told[2];
    rig.queue(keyed_power(id, PowerStatus::Off, key("k")), told[0]);
    rig.queue(keyed_power(id, PowerStatus::Off, key("k")), told[1]);
    REQUIRE(rig.round());
    CHECK(told[0].value()->status == 202);
    CHECK(told[1].value()->status == 202);
    CHECK(rig.happened() == Names{"PowerRequested"});
    rig.restart(10min);
    rig.happened();
    auto const again = rig.ask(keyed_power(id, PowerStatus::Off, key("k")));
    REQUIRE(again);
    CHECK(again->body == "accepted");
    CHECK(rig.happened().empty());
}

TEST_CASE("idempotency: a key with another request is refused, of another caller is new (3.1)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    REQUIRE(rig.ask(keyed_power(id, PowerStatus::On, key("k", 1))));
    auto const reused = rig.ask(keyed_power(id, PowerStatus::Off, key("k", 2)));
    CHECK(reused.error().code == ErrorCode::KeyReused);
    auto bobs = key("k", 2);
    bobs.actor = "user:bob";
    CHECK(rig.ask(keyed_power(id, PowerStatus::Off, bobs))->status == 202);
}

TEST_CASE("idempotency: a key is kept for 24 hours, and its record not for ever (3.1)") {
    Rig rig;
    REQUIRE(rig.ask(keyed_token(key("old"))));
    rig.clock.advance(24h);
    CHECK(rig.ask(keyed_token(key("old", 2))).error().code == ErrorCode::KeyReused);
    rig.clock.advance(1s);
    CHECK(rig.ask(keyed_token(key("old", 2))));

    rig.clock.advance(25h);
    REQUIRE(rig.ask(keyed_token(key("new"))));
    std::vector<std::string> keys;
    auto const collect = [&](std::string_view name, std::string_view) { keys.emplace_back(name); };
    REQUIRE(rig.log().read_table(eventstore::Table::Idempotency, collect));
    CHECK(keys == std::vector<std::string>{"user:alice\nnew"});
}

TEST_CASE("idempotency: of an agent's answers the last is kept, so that they fill nothing (3.1)") {
    Rig rig;
    auto const by_agent = [](std::string name) {
        auto with = key(std::move(name));
        with.actor = "agent:srv_0000000000000001";
        return keyed_token(std::move(with));
    };
    REQUIRE(rig.ask(keyed_token(key("1"))));
    auto other = key("1");
    other.actor = "agent:srv_00000000000000012";
    REQUIRE(rig.ask(keyed_token(other)));
    for (char const* name : {"1", "2", "3", "3"})
        REQUIRE(rig.ask(by_agent(name)));
    CHECK(rig.all("TokenCreated").size() == 5);
    std::vector<std::string> keys;
    auto const collect = [&](std::string_view name, std::string_view) { keys.emplace_back(name); };
    REQUIRE(rig.log().read_table(eventstore::Table::Idempotency, collect));
    CHECK(
        keys ==
        std::vector<std::string>{
            "agent:srv_0000000000000001\n3",
            "agent:srv_00000000000000012\n1",
            "user:alice\n1",
        }
    );
}

TEST_CASE("idempotency: who has too many large answers loses his own oldest ones first (3.1)") {
    Rig rig;
    auto const large = [](std::string name, std::string actor) {
        auto asked = keyed_token(key(std::move(name)));
        asked.key->actor = std::move(actor);
        asked.render = [](manager::Turn const&, auto&&) {
            std::string const body(std::size_t{1} << 20, 'x');
            return manager::Answer{201, body, body};
        };
        return asked;
    };
    REQUIRE(rig.ask(large("kept", "user:bob")));
    for (int i = 0; i < 40; ++i) {
        rig.clock.advance(1s);
        REQUIRE(rig.ask(large("k" + std::to_string(i), "user:alice")));
    }
    auto const names = [&] {
        std::vector<std::string> keys;
        auto const collect = [&](std::string_view name, std::string_view) {
            keys.emplace_back(name);
        };
        REQUIRE(rig.log().read_table(eventstore::Table::Idempotency, collect));
        return keys;
    };
    CHECK(names().size() == 31); // of 32 MiB, with what each takes besides
    CHECK(rig.all("TokenCreated").size() == 41);
    REQUIRE(rig.ask(large("kept", "user:bob")));
    REQUIRE(rig.ask(large("k10", "user:alice")));
    CHECK(rig.all("TokenCreated").size() == 41); // both are remembered
    REQUIRE(rig.ask(large("k9", "user:alice")));
    CHECK(rig.all("TokenCreated").size() == 42);

    // After a restart it goes on, also for one who has nothing of his own to lose.
    rig.restart();
    rig.clock.advance(1s);
    REQUIRE(rig.ask(large("c", "user:carol")));
    CHECK(names().size() == 31);
    REQUIRE(rig.ask(large("c", "user:carol")));
    CHECK(rig.ask(large("kept", "user:bob"))); // the oldest of all
    CHECK(rig.all("TokenCreated").size() == 44);
}

TEST_CASE("idempotency: the same key anew after its 24 hours is kept for 24 more (3.1)") {
    Rig rig;
    REQUIRE(rig.ask(keyed_token(key("k"))));
    rig.clock.advance(25h);
    REQUIRE(rig.ask(keyed_token(key("k", 2))));
    rig.clock.advance(23h);
    REQUIRE(rig.ask(keyed_token(key("k", 2))));
    REQUIRE(rig.ask(keyed_token(key("other"))));
    REQUIRE(rig.ask(keyed_token(key("k", 2))));
    CHECK(rig.all("TokenCreated").size() == 3);
}

TEST_CASE("idempotency: a secret is not shown twice, nor kept (3.1)") {
    Rig rig;
    auto const first = rig.ask(keyed_token(key("k")));
    REQUIRE(first);
    auto const secret = first->body.substr(6);
    auto const again = rig.ask(keyed_token(key("k")));
    REQUIRE(again);
    CHECK(again->status == 201);
    CHECK(again->body == "token null");
    CHECK(rig.all("TokenCreated").size() == 1);
    for (auto const& record : rig.heard().records())
        CHECK(record.value.value_or("").find(secret) == std::string::npos);
}

TEST_CASE("idempotency: a refusal is not remembered: the same key may succeed later (3.1)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    auto const refused = rig.ask(keyed_power(id, PowerStatus::On, key("k")));
    CHECK(refused.error().code == ErrorCode::StandbyOpen);
    rig.pass(301s);
    auto const later = rig.ask(keyed_power(id, PowerStatus::On, key("k")));
    REQUIRE(later);
    CHECK(later->status == 202);
}

TEST_CASE("idempotency: what was remembered only in a failed append is unknown after it (3.1)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.log().append_fails = true;
    CHECK_FALSE(rig.ask(keyed_power(id, PowerStatus::Off, key("k"))));
    rig.restart();
    rig.happened();
    CHECK(rig.ask(keyed_power(id, PowerStatus::Off, key("k")))->status == 202);
    CHECK(rig.happened() == Names{"PowerRequested"});
}

TEST_CASE("idempotency: a remembered answer that cannot be read stops a start (2.2)") {
    for (char const* damaged : {"{", "[]", R"({"request":"00","at":0,"status":200,"body":""})"}) {
        Rig rig;
        eventstore::RecordChange const record{eventstore::Table::Idempotency, "a\nk", damaged};
        REQUIRE(rig.log().append(rig.log().head().sequence, {}, std::span(&record, 1)));
        rig.kill();
        auto const started = rig.start();
        REQUIRE_FALSE(started);
        CHECK(started.error().code == ErrorCode::Corrupt);
    }
}
