// Accounts, settings, and what people change beside servers (HTTP 3.2).
#include "manager/accounts_codec.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::PowerStatus;

namespace {

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

std::string set_up(Rig& rig) {
    auto const session = rig.ask(manager::SetUp{"alice", "hashed", "192.0.2.1"});
    REQUIRE(session);
    return session->secret;
}

} // namespace

TEST_CASE("setup: makes the first administrator, signed in, and only once (HTTP 3.2)") {
    Rig rig;
    std::optional<core::Result<manager::SessionOutcome>> first;
    std::optional<core::Result<manager::SessionOutcome>> second;
    rig.queue(manager::SetUp{"alice", "hashed", "192.0.2.1"}, first);
    rig.queue(manager::SetUp{"mallory", "hashed", "192.0.2.2"}, second);
    REQUIRE(rig.round());
    REQUIRE(first.value());
    CHECK(code(*second) == ErrorCode::Conflict);
    CHECK(rig.happened() == Names{"SetupDone", "SignedIn"});
    auto const known = accounts(rig);
    CHECK(known.users().size() == 1);
    CHECK(known.find_user("alice")->role == core::Role::Admin);
    auto const* session = known.find_session(manager::hash_secret(first.value()->secret));
    REQUIRE(session);
    CHECK(session->username == "alice");
    CHECK(session->expires_at == rig.clock.now().wall + 7 * 24h);
}

TEST_CASE("setup: a name must be one (HTTP 3.2)") {
    Rig rig;
    for (auto const& name :
         {std::string(), std::string(65, 'a'), std::string("a\nb"), std::string("a/b")}) {
        auto const outcome = rig.ask(manager::SetUp{name, "hashed", ""});
        CHECK(code(outcome) == ErrorCode::Validation);
        CHECK(outcome.error().fields.at(0).field == "username");
    }
    CHECK(rig.happened().empty());
    REQUIRE(rig.ask(manager::SetUp{"é", "hashed", ""}));
    CHECK(accounts(rig).find_user("é"));
}

TEST_CASE("sign-in: opens a session; a user who is gone by then gets none (HTTP 3.5)") {
    Rig rig;
    auto const first = set_up(rig);
    auto const session = rig.ask(manager::SignIn{"alice", "192.0.2.1", "hashed"});
    REQUIRE(session);
    CHECK(session->secret != first);
    CHECK(session->sequence == rig.last("SignedIn").sequence);
    CHECK(code(rig.ask(manager::SignIn{"bob", "", "hashed"})) == ErrorCode::NotSignedIn);
    auto disabled = *accounts(rig).find_user("alice");
    disabled.disabled = true;
    auto const record = manager::put(disabled);
    REQUIRE(rig.log().append(rig.log().head().sequence, {}, std::span(&record, 1)));
    rig.restart();
    CHECK(code(rig.ask(manager::SignIn{"alice", "", "hashed"})) == ErrorCode::NotSignedIn);
}

TEST_CASE("sign-in: a user's sessions that have expired are forgotten with the next (HTTP 3.5)") {
    Rig rig;
    auto const first = set_up(rig);
    rig.pass(7 * 24h + 1s);
    auto const second = rig.ask(manager::SignIn{"alice", "", "hashed"});
    REQUIRE(second);
    auto const known = accounts(rig);
    CHECK_FALSE(known.find_session(manager::hash_secret(first)));
    CHECK(known.find_session(manager::hash_secret(second->secret)));
}

TEST_CASE("sign-in: a failure is an event, without a name nobody has (2.1)") {
    Rig rig;
    REQUIRE(rig.ask(manager::FailSignIn{"", "192.0.2.9"}));
    CHECK(rig.last("SignInFailed").actor == core::Actor{});
    REQUIRE(rig.ask(manager::FailSignIn{"alice", "192.0.2.9"}));
    CHECK(rig.last("SignInFailed").actor == kAlice);
}

TEST_CASE("sign-out: ends the session at once, and only once (HTTP 3.5)") {
    Rig rig;
    auto const secret = manager::hash_secret(set_up(rig));
    std::optional<core::Result<manager::Recorded>> told[2];
    rig.queue(manager::SignOut{secret}, told[0]);
    rig.queue(manager::SignOut{secret}, told[1]);
    REQUIRE(rig.round());
    CHECK(told[0].value());
    CHECK(code(*told[1]) == ErrorCode::NotSignedIn);
    CHECK_FALSE(accounts(rig).find_session(secret));
    CHECK(rig.last("SignedOut").actor == kAlice);
}

TEST_CASE("tokens: created with a secret that is kept as its hash, and revoked (HTTP 3.2)") {
    Rig rig;
    auto const in_an_hour = rig.clock.now().wall + 1h;
    auto const token =
        rig.ask(manager::CreateToken{kAlice, "ci", core::Role::Operator, in_an_hour});
    REQUIRE(token);
    auto const known = accounts(rig);
    auto const* kept = known.find_token(manager::hash_secret(token->secret));
    REQUIRE(kept);
    CHECK(kept->id == token->id);
    CHECK(kept->role == core::Role::Operator);
    CHECK(kept->expires_at == in_an_hour);
    for (auto const& record : rig.heard().records())
        CHECK(record.value.value_or("").find(token->secret) == std::string::npos);
    CHECK(rig.ask(manager::RevokeToken{kAlice, token->id}));
    CHECK_FALSE(accounts(rig).find_token(manager::hash_secret(token->secret)));
    CHECK(code(rig.ask(manager::RevokeToken{kAlice, token->id})) == ErrorCode::NotFound);
}

TEST_CASE("tokens: one that has expired already, or has no name, is not made (HTTP 3.2)") {
    Rig rig;
    auto const now = rig.clock.now().wall;
    auto const late = rig.ask(manager::CreateToken{kAlice, "ci", core::Role::Viewer, now});
    CHECK(late.error().fields.at(0).field == "expires_at");
    auto const nameless = rig.ask(manager::CreateToken{kAlice, "", core::Role::Viewer, {}});
    CHECK(nameless.error().fields.at(0).field == "name");
    CHECK(rig.happened().empty());
}

TEST_CASE("settings: all changes of a request hold or none (HTTP 3.2)") {
    Rig rig;
    auto const faulty = rig.ask(manager::ChangeSettings{
        kAlice, {{"missed_heartbeats", "5"}, {"standby_time_seconds", "0"}}});
    CHECK(faulty.error().fields.at(0).field == "standby_time_seconds");
    CHECK(rig.heard().fleet().settings == core::Settings{});
    CHECK(
        code(rig.ask(manager::ChangeSettings{kAlice, {{"no_such", "1"}}})) == ErrorCode::Validation
    );
    auto const same = rig.ask(manager::ChangeSettings{kAlice, {{"missed_heartbeats", "3"}}});
    REQUIRE(same);
    CHECK_FALSE(same->sequence);
    CHECK(rig.happened().empty());
    REQUIRE(rig.ask(manager::ChangeSettings{
        kAlice, {{"missed_heartbeats", "5"}, {"standby_time_seconds", "60"}}}));
    CHECK(rig.heard().fleet().settings.standby_time == 60s);
    rig.restart();
    CHECK(rig.heard().fleet().settings.missed_heartbeats == 5);
}

TEST_CASE("dismiss: is recorded by whom, also for a server removed meanwhile (HTTP 3.2)") {
    Rig rig;
    core::ServerId const gone{4711};
    REQUIRE(rig.ask(manager::DismissNotification{kAlice, "crashed-1", gone}));
    CHECK(rig.last("NotificationDismissed").server == gone);
    CHECK(rig.last("NotificationDismissed").actor == kAlice);
}

TEST_CASE("rollback: all are told ON and power is refused, until it is accepted (HTTP 3.3)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const off_asked = rig.running("m", 2);
    rig.wants(off_asked, PowerStatus::Off);
    REQUIRE(rig.log().mark_rolled_back("a witness knows more", 1));
    rig.kill();
    REQUIRE(rig.start());
    CHECK(rig.engine().readiness() == manager::Readiness::RolledBack);
    rig.happened();
    manager::RequestPower off;
    off.actor = kAlice;
    off.server = id;
    CHECK(code(rig.ask(off)) == ErrorCode::RolledBack);
    CHECK(rig.happened().empty());
    auto const told = rig.says_on(off_asked);
    CHECK(told.manifest.power_status == PowerStatus::On);
    CHECK(told.manifest.notice == core::Notice::RolledBack);

    REQUIRE(rig.ask(manager::AcceptRollback{kAlice}));
    CHECK(rig.log().head().epoch == 2);
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
    // The OFF that stood in the log as it was put back is nobody's word any more: what was lost may
    // have been an ON.
    CHECK(rig.says_on(off_asked).manifest.power_status == PowerStatus::On);
    CHECK(rig.ask(off));
    CHECK(code(rig.ask(manager::AcceptRollback{kAlice})) == ErrorCode::Conflict);
}

TEST_CASE("rollback: accepted twice at once, it is one new epoch (HTTP 3.3)") {
    Rig rig;
    REQUIRE(rig.log().mark_rolled_back("a witness knows more", 1));
    rig.kill();
    REQUIRE(rig.start());
    std::optional<core::Result<manager::Recorded>> told[2];
    rig.queue(manager::AcceptRollback{kAlice}, told[0]);
    rig.queue(manager::AcceptRollback{kAlice}, told[1]);
    REQUIRE(rig.round());
    CHECK(told[0].value());
    CHECK(code(*told[1]) == ErrorCode::Conflict);
    CHECK(rig.log().head().epoch == 2);
}
