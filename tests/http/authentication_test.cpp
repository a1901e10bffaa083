// Who calls, and for how long his credential counts. The rules of another site's requests are told
// over the wire in tests/e2e/test_callers.py.
#include "http/authentication.hpp"
#include "manager/accounts_codec.hpp"
#include "manager/random.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::http;
using namespace std::chrono_literals;
using core::ErrorCode;

namespace {

core::WallTime const kWall{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
core::MonoTime const kMono{100h};

core::Now after(std::chrono::minutes time) {
    return {kMono + time, kWall + time};
}

/// alice is an operator with the session "s", for a week; a token "t" for a day; the server 7 has
/// an agent "a"; the agent "gone" speaks for a server that was removed.
struct World {
    ReadModel model;
    Authentication authentication{model};

    World() {
        core::ServerConfig config;
        config.name = "seven";
        model.load({{1}, {1}, kWall, {7}, {}, {}, {}, core::ServerAdded{config}});
        auto const secret = [](char const* text) { return manager::hash_secret(text); };
        change_alice(false);
        model.load(manager::put(manager::Session{secret("s"), "alice", kWall, kWall + 7 * 24h}));
        model.load(manager::put(manager::ApiToken{
            "tok_1", "backup", core::Role::Viewer, secret("t"), kWall, kWall + 24h}));
        model.load(manager::put(manager::AgentCredential{{7}, secret("a")}));
        model.load(manager::put(manager::AgentCredential{{8}, secret("gone")}));
        model.loaded(after(0min));
    }

    void change_alice(bool disabled) {
        model.load(manager::put(manager::User{
            "alice", core::Role::Operator, "hash", disabled, kWall}));
    }

    std::string
    ask(std::string path,
        std::pair<std::string, std::string> field,
        Access access,
        core::Now now = after(1min)) {
        Request request;
        request.path = std::move(path);
        request.headers.push_back(std::move(field));
        auto const caller = authentication.identify(request, access, now);
        if (!caller)
            return caller.error().code == ErrorCode::NotSignedIn  ? "not signed in"
                   : caller.error().code == ErrorCode::NotAllowed ? "not allowed"
                   : caller.error().code == ErrorCode::Gone       ? "gone"
                                                                  : "another error";
        switch (caller->kind) {
        case CallerKind::Nobody: return "nobody";
        case CallerKind::Session: return "session of " + caller->actor.name;
        case CallerKind::Token: return "token " + caller->actor.name;
        case CallerKind::Agent: return "agent of " + core::to_string(caller->server);
        }
        return "";
    }

    std::string with_cookie(core::Now now) {
        return ask("/api/v1/head", {"cookie", "cpm=s"}, Access::Viewer, now);
    }
};

std::pair<std::string, std::string> bearer(std::string const& token) {
    return {"authorization", "Bearer " + token};
}

} // namespace

TEST_CASE("callers: each credential opens its own place alone (3.1)") {
    World world;
    CHECK(world.ask("/api/v1/x", {"cookie", "cpm=s"}, Access::Viewer) == "session of alice");
    CHECK(world.ask("/api/v1/x", bearer("t"), Access::Viewer) == "token backup");
    CHECK(world.ask("/agent/v1/x", bearer("a"), Access::Agent) == "agent of srv_0000000000000007");
    CHECK(world.ask("/agent/v1/x", bearer("gone"), Access::Agent) == "gone");
    CHECK(world.ask("/agent/v1/x", bearer("t"), Access::Agent) == "not signed in");
    CHECK(world.ask("/agent/v1/x", {"cookie", "cpm=s"}, Access::Agent) == "not signed in");
    CHECK(world.ask("/api/v1/x", bearer("a"), Access::Viewer) == "not signed in");
    CHECK(world.ask("/api/v1/x", bearer("s"), Access::Viewer) == "not signed in");
    CHECK(world.ask("/api/v1/x", {"cookie", "cpm=t"}, Access::Viewer) == "not signed in");
    CHECK(world.ask("/api/v1/x", {"cookie", "__Host-cpm=s"}, Access::Viewer) == "not signed in");
}

TEST_CASE("callers: a role opens what it may, and no more (3.2)") {
    World world;
    CHECK(world.ask("/api/v1/x", {"cookie", "cpm=s"}, Access::Operator) == "session of alice");
    CHECK(world.ask("/api/v1/x", {"cookie", "cpm=s"}, Access::Admin) == "not allowed");
    CHECK(world.ask("/api/v1/x", bearer("t"), Access::Operator) == "not allowed");
}

TEST_CASE("callers: where anyone may call, a credential that is no good makes nobody (3.1)") {
    World world;
    CHECK(world.ask("/api/v1/session", bearer("wrong"), Access::Anyone) == "nobody");
    CHECK(world.ask("/api/v1/session", {"cookie", "cpm=wrong"}, Access::Anyone) == "nobody");
    CHECK(world.ask("/api/v1/session", bearer("t"), Access::Anyone) == "token backup");
}

TEST_CASE("callers: a token counts until it expires (3.2)") {
    World world;
    CHECK(world.ask("/api/v1/x", bearer("t"), Access::Viewer, after(24h - 1min)) == "token backup");
    CHECK(world.ask("/api/v1/x", bearer("t"), Access::Viewer, after(24h)) == "not signed in");
}

TEST_CASE("callers: a session ends after 12 idle hours and after a week (3.5)") {
    World world;
    auto now = 0min;
    for (; now < 7 * 24h - 11h; now += 11h)
        CHECK(world.with_cookie(after(now)) == "session of alice");
    CHECK(world.with_cookie(after(7 * 24h)) == "not signed in");

    World idle;
    CHECK(idle.with_cookie(after(12h - 1min)) == "session of alice");
    CHECK(idle.with_cookie(after(24h - 2min)) == "session of alice");
    CHECK(idle.with_cookie(after(36h)) == "not signed in");
    World never;
    CHECK(never.with_cookie(after(12h)) == "not signed in");
}

TEST_CASE("sessions: a restart makes no idle time begin anew (3.5)") {
    World world; // has just been started
    CHECK(world.with_cookie(after(12h)) == "not signed in");

    World noted;
    auto const secret = manager::hash_secret("s");
    auto session = *noted.model.accounts().find_session(secret);
    session.last_used_at = kWall + 5h;
    noted.model.load(manager::put(session));
    CHECK(noted.authentication.last_request(session) == kWall + 5h);
    CHECK(noted.with_cookie(after(17h)) == "not signed in");
    CHECK(noted.with_cookie(after(17h - 1min)) == "session of alice");
    CHECK(noted.with_cookie(after(28h)) == "session of alice");
}

TEST_CASE("sessions: a request is noted on disk at most once a minute, a refused one never (3.5)") {
    World world;
    auto const secret = manager::hash_secret("s");
    CHECK(world.with_cookie(after(5min)) == "session of alice");
    auto const uses = world.authentication.uses_to_note();
    REQUIRE(uses.sessions.size() == 1);
    CHECK(uses.sessions[0] == std::pair(secret, kWall + 5min));
    CHECK(uses.tokens.empty());

    auto noted = *world.model.accounts().find_session(secret);
    noted.last_used_at = uses.sessions[0].second;
    world.model.load(manager::put(noted));
    CHECK(world.with_cookie({kMono + 6min, kWall + 5min + 59s}) == "session of alice");
    CHECK(world.authentication.uses_to_note().sessions.empty());
    CHECK(world.with_cookie({kMono + 6min, kWall + 6min}) == "session of alice");
    CHECK(world.authentication.uses_to_note().sessions.size() == 1);
    CHECK(world.with_cookie(after(20h)) == "not signed in");
    CHECK(world.authentication.uses_to_note().sessions.at(0).second == kWall + 6min);
    world.model.load(manager::remove_session(secret));
    CHECK(world.authentication.uses_to_note().sessions.empty());
}

TEST_CASE("callers: a disabled user's session ends at once, also for what it holds open (3.5)") {
    World world;
    Caller caller;
    caller.kind = CallerKind::Session;
    caller.session = manager::hash_secret("s");
    CHECK(world.with_cookie(after(1min)) == "session of alice");
    CHECK(world.authentication.still_counts(caller, after(1min)));
    world.change_alice(true);
    CHECK(world.with_cookie(after(2min)) == "not signed in");
    CHECK_FALSE(world.authentication.still_counts(caller, after(2min)));
    world.change_alice(false);
    CHECK(world.authentication.still_counts(caller, after(2min)));
    world.model.load(manager::remove_session(caller.session));
    CHECK_FALSE(world.authentication.still_counts(caller, after(2min)));
}

TEST_CASE("callers: agents on other machines need TLS, or the setting (3.5)") {
    Request request;
    for (auto const access : {Access::Agent, Access::Joining}) {
        CHECK_FALSE(check_plain_http(request, access, false));
        CHECK(check_plain_http(request, access, true));
    }
    CHECK(check_plain_http(request, Access::Viewer, false));
    request.from_loopback = true;
    CHECK(check_plain_http(request, Access::Agent, false));
    request = {};
    request.secure = true;
    CHECK(check_plain_http(request, Access::Agent, false));
}

TEST_CASE("callers: a site behind a proxy is known by its public URL (3.5)") {
    Request request;
    request.method = Method::Post;
    request.headers = {{"host", "127.0.0.1:8080"}, {"origin", "https://cpm.example"}};
    Caller caller;
    caller.kind = CallerKind::Session;
    CHECK(check_origin(request, caller, "https://cpm.example/dashboard"));
    CHECK_FALSE(check_origin(request, caller, "https://cpm.example:8443"));
    CHECK_FALSE(check_origin(request, caller, ""));
}

TEST_CASE("callers: over TLS the cookie is bound to this host (3.5)") {
    Request request;
    CHECK(
        session_cookie(request, "x", 60s) == "cpm=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
    );
    request.secure = true;
    CHECK(
        session_cookie(request, "x", 60s) ==
        "__Host-cpm=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
    );
    CHECK(
        ended_session_cookie(request) ==
        "__Host-cpm=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure"
    );
}

TEST_CASE("sessions: idle and whole life are settings, and count at once (3.5)") {
    World world;
    auto const set = [&](std::uint64_t sequence, std::string name, std::string value) {
        world.model.load(core::Event{
            {sequence},
            {sequence},
            kWall,
            {},
            {},
            {},
            {},
            core::SettingsChanged{{{std::move(name), std::move(value)}}}});
    };
    CHECK(world.with_cookie(after(1min)) == "session of alice");
    set(2, "session_idle_seconds", "600");
    CHECK(world.with_cookie(after(10min)) == "session of alice");
    CHECK(world.with_cookie(after(19min)) == "session of alice");
    CHECK(world.with_cookie(after(29min)) == "not signed in");
    set(3, "session_idle_seconds", "43200");
    CHECK(world.with_cookie(after(30min)) == "session of alice");
    set(4, "session_lifetime_seconds", "3600");
    CHECK(world.with_cookie(after(59min)) == "session of alice");
    CHECK(world.with_cookie(after(60min)) == "not signed in");
    // A longer life is for sessions opened from then on.
    set(5, "session_lifetime_seconds", "31536000");
    CHECK(world.with_cookie(after(60min)) == "session of alice");
    CHECK(world.with_cookie({kMono + 60min, kWall + 7 * 24h}) == "not signed in");
}

TEST_CASE("tokens: a use is known at once, and noted on disk at most once a minute (3.2)") {
    World world;
    auto const& tokens = world.model.accounts().tokens();
    auto const& token = tokens.at("tok_1");
    CHECK_FALSE(world.authentication.last_used(token));
    CHECK(world.authentication.uses_to_note().tokens.empty());
    CHECK(world.ask("/api/v1/head", bearer("t"), Access::Viewer, after(5min)) == "token backup");
    CHECK(world.authentication.last_used(token) == kWall + 5min);
    auto const uses = world.authentication.uses_to_note().tokens;
    REQUIRE(uses.size() == 1);
    CHECK(uses[0] == std::pair(std::string("tok_1"), kWall + 5min));

    auto noted = token;
    noted.last_used_at = uses[0].second;
    world.model.load(manager::put(noted));
    CHECK(world.authentication.uses_to_note().tokens.empty());
    world.ask("/api/v1/head", bearer("t"), Access::Viewer, {kMono, kWall + 5min + 59s});
    CHECK(world.authentication.uses_to_note().tokens.empty());
    CHECK(world.authentication.last_used(tokens.at("tok_1")) == kWall + 5min + 59s);
    world.ask("/api/v1/head", bearer("t"), Access::Viewer, {kMono, kWall + 6min});
    CHECK(world.authentication.uses_to_note().tokens.size() == 1);
    // A use that is refused is none.
    world.ask("/api/v1/users", bearer("t"), Access::Admin, {kMono, kWall + 9min});
    CHECK(world.authentication.last_used(tokens.at("tok_1")) == kWall + 6min);
}
