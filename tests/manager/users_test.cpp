// Users, passwords and how sessions end (HTTP 3.2, 3.5).
#include "manager/user_commands.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::Role;

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

/// alice, the first administrator, and bob with another role; both signed in.
struct World {
    Rig rig;
    core::Hash alice = opened(rig.ask(manager::SetUp{"alice", "a", ""}));
    core::Hash bob = added_bob();

    static core::Hash opened(core::Result<manager::SessionOutcome> const& session) {
        REQUIRE(session);
        return manager::hash_secret(session->secret);
    }
    core::Hash added_bob() {
        REQUIRE(rig.ask(manager::AddUser{kAlice, "bob", "b", Role::Operator}));
        auto const session = opened(rig.ask(manager::SignIn{"bob", "192.0.2.1", "b"}));
        rig.happened();
        return session;
    }
    bool is_signed_in(core::Hash const& session) const {
        return accounts(rig).find_session(session) != nullptr;
    }
    manager::ChangeUser change(std::string name) const { return {kAlice, std::move(name)}; }
};

} // namespace

TEST_CASE("users: one is added with a role, once (3.2)") {
    World world;
    auto& rig = world.rig;
    auto const added = rig.ask(manager::AddUser{kAlice, "carol", "c", Role::Viewer});
    REQUIRE(added);
    CHECK(rig.happened() == Names{"UserAdded"});
    CHECK(rig.last("UserAdded").actor == kAlice);
    auto const known = accounts(rig);
    auto const* carol = known.find_user("carol");
    REQUIRE(carol);
    CHECK(carol->role == Role::Viewer);
    CHECK(carol->changed == added->sequence);
    CHECK(
        code(rig.ask(manager::AddUser{kAlice, "carol", "x", Role::Admin})) == ErrorCode::Conflict
    );
    for (auto const* name : {"", "a/b", "a\\b", "..", "a\nb"})
        CHECK(
            code(rig.ask(manager::AddUser{kAlice, name, "x", Role::Admin})) == ErrorCode::Validation
        );
    CHECK(rig.happened().empty());
}

TEST_CASE("users: disabling, removing and a new password end the sessions at once (3.5)") {
    SUBCASE("disabling") {
        World world;
        auto disable = world.change("bob");
        disable.disabled = true;
        REQUIRE(world.rig.ask(disable));
        CHECK_FALSE(world.is_signed_in(world.bob));
        CHECK(world.is_signed_in(world.alice));
        CHECK(code(world.rig.ask(manager::SignIn{"bob", "", "b"})) == ErrorCode::NotSignedIn);
        disable.disabled = false;
        REQUIRE(world.rig.ask(disable));
        CHECK_FALSE(world.is_signed_in(world.bob)); // it does not come back
        CHECK(world.rig.ask(manager::SignIn{"bob", "", "b"}));
    }
    SUBCASE("removing") {
        World world;
        REQUIRE(world.rig.ask(manager::RemoveUser{kAlice, "bob"}));
        CHECK_FALSE(world.is_signed_in(world.bob));
        CHECK(world.is_signed_in(world.alice));
        CHECK(world.rig.happened() == Names{"UserRemoved"});
        // Another one of that name is another one.
        REQUIRE(world.rig.ask(manager::AddUser{kAlice, "bob", "n", Role::Admin}));
        CHECK_FALSE(world.is_signed_in(world.bob));
    }
    SUBCASE("a new password") {
        World world;
        REQUIRE(world.rig.ask(manager::SetPassword{kAlice, "bob", "new"}));
        CHECK_FALSE(world.is_signed_in(world.bob));
        CHECK(world.rig.happened() == Names{"UserChanged"});
        // The old one was verified before, and would open a session after.
        CHECK(code(world.rig.ask(manager::SignIn{"bob", "", "b"})) == ErrorCode::NotSignedIn);
        CHECK(world.rig.ask(manager::SignIn{"bob", "", "new"}));
    }
    SUBCASE("another role ends none: it counts from the next request on") {
        World world;
        auto promote = world.change("bob");
        promote.role = Role::Admin;
        REQUIRE(world.rig.ask(promote));
        CHECK(world.is_signed_in(world.bob));
        CHECK(accounts(world.rig).find_user("bob")->role == Role::Admin);
    }
}

TEST_CASE("users: the last administrator stays, also against two at once (3.2)") {
    World world;
    auto& rig = world.rig;
    auto demote = world.change("alice");
    demote.role = Role::Operator;
    auto disable = world.change("alice");
    disable.disabled = true;
    CHECK(code(rig.ask(demote)) == ErrorCode::Conflict);
    CHECK(code(rig.ask(disable)) == ErrorCode::Conflict);
    CHECK(code(rig.ask(manager::RemoveUser{kAlice, "alice"})) == ErrorCode::Conflict);
    CHECK(rig.happened().empty());

    // With a second one either may go, but not both.
    auto promote = world.change("bob");
    promote.role = Role::Admin;
    REQUIRE(rig.ask(promote));
    std::optional<core::Result<manager::Recorded>> told[2];
    rig.queue(manager::RemoveUser{kAlice, "bob"}, told[0]);
    rig.queue(disable, told[1]);
    REQUIRE(rig.round());
    CHECK(told[0].value());
    CHECK(code(*told[1]) == ErrorCode::Conflict);
    CHECK(world.is_signed_in(world.alice));

    // A disabled administrator is none.
    REQUIRE(rig.ask(manager::AddUser{kAlice, "carol", "c", Role::Admin}));
    auto off = world.change("carol");
    off.disabled = true;
    REQUIRE(rig.ask(off));
    CHECK(code(rig.ask(demote)) == ErrorCode::Conflict);
    CHECK(rig.ask(manager::RemoveUser{kAlice, "carol"}));
}

TEST_CASE("users: an edit of an older version is refused, one of nothing is no event (3.1)") {
    World world;
    auto& rig = world.rig;
    auto const version = accounts(rig).find_user("bob")->changed;
    auto change = world.change("bob");
    change.if_match = version;
    change.role = Role::Viewer;
    auto const changed = rig.ask(change);
    REQUIRE(changed);
    CHECK(accounts(rig).find_user("bob")->changed == changed->sequence);
    change.role = Role::Admin;
    CHECK(code(rig.ask(change)) == ErrorCode::Stale);
    CHECK(code(rig.ask(manager::RemoveUser{kAlice, "bob", version})) == ErrorCode::Stale);
    change.if_match = changed->sequence;
    change.role = Role::Viewer;
    rig.happened();
    CHECK_FALSE(rig.ask(change)->sequence);
    CHECK(rig.happened().empty());
    CHECK(code(rig.ask(world.change("nobody"))) == ErrorCode::NotFound);
    CHECK(code(rig.ask(manager::RemoveUser{kAlice, "nobody"})) == ErrorCode::NotFound);
    CHECK(code(rig.ask(manager::SetPassword{kAlice, "nobody", "x"})) == ErrorCode::NotFound);
}

TEST_CASE("users: a session that ended meanwhile sets no password (3.5)") {
    World world;
    manager::SetPassword command{{core::ActorKind::User, "bob"}, "bob", "new", world.bob};
    REQUIRE(world.rig.ask(manager::SetPassword{kAlice, "bob", "other"}));
    CHECK(code(world.rig.ask(command)) == ErrorCode::NotSignedIn);
    CHECK(accounts(world.rig).find_user("bob")->password_hash == "other");
}

TEST_CASE("sessions: one is ended by its id, by whoever may (3.5)") {
    World world;
    auto const known = accounts(world.rig);
    auto const id = manager::session_id(*known.find_session(world.bob));
    CHECK(id.size() == 20);
    CHECK(code(world.rig.ask(manager::EndSession{kAlice, id, "alice"})) == ErrorCode::NotFound);
    CHECK(code(world.rig.ask(manager::EndSession{kAlice, "ses_none"})) == ErrorCode::NotFound);
    REQUIRE(world.rig.ask(manager::EndSession{kAlice, id, "bob"}));
    CHECK_FALSE(world.is_signed_in(world.bob));
    CHECK(world.rig.happened() == Names{"SignedOut"});
    CHECK(world.rig.last("SignedOut").actor == kAlice);
    CHECK(std::get<core::SignedOut>(world.rig.last("SignedOut").payload).username == "bob");
}

TEST_CASE("sessions: those that ended of themselves are forgotten for good, without an event (3.5)"
) {
    World world;
    world.rig.happened();
    REQUIRE(world.rig.ask(manager::ForgetSessions{{world.bob, core::Hash{}}}));
    REQUIRE(world.rig.ask(manager::ForgetSessions{{world.bob}}));
    CHECK(world.rig.happened().empty());
    world.rig.restart();
    CHECK_FALSE(world.is_signed_in(world.bob));
}

TEST_CASE("sessions: their last use is kept without an event, over a restart (3.5)") {
    World world;
    world.rig.happened();
    auto const now = world.rig.clock.now().wall;
    REQUIRE(world.rig.ask(manager::NoteUses{.sessions = {{world.bob, now}, {core::Hash{}, now}}}));
    REQUIRE(world.rig.ask(manager::NoteUses{.sessions = {{world.bob, now - 1s}}})); // overtaken
    world.rig.restart();
    CHECK(world.rig.happened() == Names{"ManagerStarted"});
    CHECK(accounts(world.rig).find_session(world.bob)->last_used_at == now);
    CHECK_FALSE(accounts(world.rig).find_session(core::Hash{}));
}

TEST_CASE("tokens: their last use is kept without an event, over a restart (3.2)") {
    Rig rig;
    auto const token = rig.ask(manager::CreateToken{kAlice, "ci", Role::Viewer, {}});
    REQUIRE(token);
    rig.happened();
    auto const now = rig.clock.now().wall;
    REQUIRE(rig.ask(manager::NoteUses{.tokens = {{token->id, now}, {"tok_none", now}}}));
    REQUIRE(rig.ask(manager::NoteUses{.tokens = {{token->id, now - 1s}}})); // overtaken
    rig.restart();
    CHECK(rig.happened() == Names{"ManagerStarted"});
    CHECK(accounts(rig).find_token_by_id(token->id)->last_used_at == now);
}

TEST_CASE("settings: an edit of an older version is refused (3.1)") {
    Rig rig;
    manager::ChangeSettings change{kAlice, {{"confirm_above", "7"}}, core::Sequence{1}};
    REQUIRE(rig.ask(change));
    change.changes = {{"confirm_above", "8"}};
    CHECK(code(rig.ask(change)) == ErrorCode::Stale);
    change.if_match = rig.last("SettingsChanged").sequence;
    CHECK(rig.ask(change));
}
