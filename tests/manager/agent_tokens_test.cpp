// Rotating an agent's own token (HTTP 3.3).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using core::ErrorCode;
using manager::RotateAgentToken;
using manager::UseAgentToken;

namespace {

/// Whose token it is, as a start reads it: none when it opens nothing.
bool opens(Rig& rig, std::string const& token) {
    manager::Accounts known;
    auto const read = rig.log().read_table(eventstore::Table::Accounts, [&](auto key, auto value) {
        REQUIRE(known.apply({eventstore::Table::Accounts, std::string(key), std::string(value)}));
    });
    REQUIRE(read);
    return known.find_agent(manager::hash_secret(token)) != nullptr;
}

RotateAgentToken rotate(core::ServerId server, std::string const& token) {
    return {server, manager::hash_secret(token)};
}

std::string rotated(Rig& rig, core::ServerId server, std::string const& token) {
    auto outcome = rig.ask(rotate(server, token));
    REQUIRE(outcome);
    return outcome->agent_token;
}

UseAgentToken use(std::string const& token) {
    return {manager::hash_secret(token)};
}

} // namespace

TEST_CASE("tokens: the old one counts until the new one is used, and then no more (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const old = rig.join(id, {mac(1)});
    rig.happened();
    auto const fresh = rotated(rig, id, old);
    CHECK(rig.happened().empty());
    CHECK(fresh != old);
    CHECK(opens(rig, old));
    CHECK(opens(rig, fresh));
    rig.restart();
    rig.happened();

    std::optional<core::Result<UseAgentToken::Outcome>> first;
    std::optional<core::Result<UseAgentToken::Outcome>> second;
    rig.queue(use(fresh), first);
    rig.queue(use(fresh), second);
    REQUIRE(rig.round());
    CHECK(first.value());
    CHECK(second.value());
    CHECK(rig.happened() == Names{"AgentTokenRotated"});
    CHECK(rig.last("AgentTokenRotated").server == id);
    CHECK_FALSE(opens(rig, old));
    CHECK(rig.ask(rotate(id, old)).error().code == ErrorCode::NotSignedIn);
    CHECK(opens(rig, fresh));
    CHECK(rig.ask(use(old)).error().code == ErrorCode::NotSignedIn);
}

TEST_CASE("tokens: one that was never used gives way to the next (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const old = rig.join(id, {mac(1)});
    auto const lost = rotated(rig, id, old);
    auto const fresh = rotated(rig, id, old);
    CHECK(opens(rig, old));
    CHECK_FALSE(opens(rig, lost));
    CHECK(opens(rig, fresh));
    CHECK(rig.ask(use(old))); // no news
    CHECK(rig.all("AgentTokenRotated").empty());
}

TEST_CASE("tokens: a join and a revocation end what was handed out (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const old = rig.join(id, {mac(1)});
    auto const fresh = rotated(rig, id, old);
    SUBCASE("a join") {
        auto const joined = rig.join(id, {mac(1)});
        // Its call was let in before the join, and is decided after it.
        CHECK(rig.ask(rotate(id, old)).error().code == ErrorCode::NotSignedIn);
        CHECK(rig.ask(rotate(id, fresh)).error().code == ErrorCode::NotSignedIn);
        CHECK(opens(rig, joined));
    }
    SUBCASE("a revocation") {
        REQUIRE(rig.ask(manager::RevokeAgent{kAlice, id}));
        CHECK(rig.ask(rotate(id, old)).error().code == ErrorCode::NotSignedIn);
    }
    CHECK_FALSE(opens(rig, old));
    CHECK_FALSE(opens(rig, fresh));
    CHECK(rig.ask(use(fresh)).error().code == ErrorCode::NotSignedIn);
}
