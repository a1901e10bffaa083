// The records of who may call: what is written is read, and what is damaged is refused.
#include "core/hex.hpp"
#include "manager/accounts.hpp"
#include "manager/accounts_codec.hpp"
#include "manager/random.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::manager;
using core::ErrorCode;

namespace {

constexpr core::WallTime kTime{std::chrono::microseconds{1'795'251'600'123'456}};

core::Hash hash(std::uint8_t number) {
    core::Hash value{};
    value.fill(number);
    return value;
}

template <class T>
void comes_back(T const& account, std::string_view key) {
    auto const record = put(account);
    CHECK(record.table == eventstore::Table::Accounts);
    CHECK(record.key == key);
    auto const read = decode_account(record.key, record.value.value());
    REQUIRE_MESSAGE(read, (read ? "" : read.error().detail));
    REQUIRE(std::holds_alternative<T>(*read));
    CHECK(std::get<T>(*read) == account);
}

std::string const kElevens(64, '1');

} // namespace

TEST_CASE("accounts: each kind of record is read as it was written (2.2)") {
    comes_back(User{"alice", core::Role::Admin, "$argon2id$…", false, kTime}, "user/alice");
    comes_back(User{"a/\"é\"", core::Role::Viewer, "", true, kTime}, "user/a/\"é\"");
    comes_back(Session{hash(0x11), "alice", kTime, kTime}, "session/" + kElevens);
    comes_back(
        Session{hash(0x11), "alice", kTime, kTime, kTime, "::1", kTime}, "session/" + kElevens
    );
    comes_back(ApiToken{"tok_1", "ci", core::Role::Operator, hash(2), kTime, {}}, "token/tok_1");
    comes_back(ApiToken{"tok_2", "ci", core::Role::Viewer, hash(2), kTime, kTime}, "token/tok_2");
    comes_back(AgentCredential{{0xab}, hash(3)}, "agent/srv_00000000000000ab");
    comes_back(AgentCredential{{0xab}, hash(3), hash(4)}, "agent/srv_00000000000000ab");
    comes_back(JoinToken{"join_1", hash(4), {0xab}, kTime, true}, "join/join_1");
    comes_back(WakePassword{{0xab}, "0102030405ff"}, "wake/srv_00000000000000ab");
    comes_back(WakePassword{{0xab}, "c0000201"}, "wake/srv_00000000000000ab");
}

TEST_CASE("accounts: a damaged record is Corrupt, and its key is named (2.2)") {
    struct Case {
        char const* key;
        char const* value;
    };
    for (auto const& [key, value] : {
             Case{"user/alice", ""},
             Case{"user/alice", "{"},
             Case{"user/alice", "[]"},
             Case{
                 "user/alice",
                 R"({"role":"king","password_hash":"","disabled":false,"created_at":0})"},
             Case{
                 "user/alice",
                 R"({"role":"admin","password_hash":"","disabled":0,"created_at":0})"},
             Case{"user/alice", R"({"role":"admin","disabled":false,"created_at":0})"},
             Case{
                 "user/alice",
                 R"({"role":"admin","password_hash":"","disabled":false,"created_at":"x"})"},
             Case{"session/12", R"({"username":"alice","created_at":0,"expires_at":0})"},
             Case{
                 "token/t",
                 R"({"name":"","role":"admin","secret":"xyz","created_at":0,"expires_at":null})"},
             Case{"agent/node1", R"({"secret":"00"})"},
             Case{"wake/srv_00000000000000ab", R"({"secure_on":"0102030405060708"})"},
             Case{"wake/srv_00000000000000ab", R"({"secure_on":"0102030g"})"},
             Case{"wake/srv_00000000000000ab", R"({"secure_on":""})"},
             Case{"nobody", "{}"},
             Case{"king/alice", "{}"},
         }) {
        auto const read = decode_account(key, value);
        REQUIRE_FALSE_MESSAGE(read, key << " " << value);
        CHECK(read.error().code == ErrorCode::Corrupt);
        CHECK(read.error().detail.find(key) != std::string::npos);
    }
}

TEST_CASE("accounts: what was replaced or removed is found no more by its old secret") {
    Accounts accounts;
    REQUIRE(accounts.apply(put(AgentCredential{{1}, hash(1)})));
    REQUIRE(accounts.apply(put(AgentCredential{{1}, hash(2)})));
    CHECK_FALSE(accounts.find_agent(hash(1)));
    CHECK(accounts.find_agent(hash(2))->server == core::ServerId{1});
    REQUIRE(accounts.apply(remove_agent({1})));
    CHECK_FALSE(accounts.find_agent(hash(2)));

    REQUIRE(accounts.apply(put(ApiToken{"t", "ci", core::Role::Viewer, hash(3), kTime, {}})));
    REQUIRE(accounts.apply(put(ApiToken{"t", "ci", core::Role::Viewer, hash(4), kTime, {}})));
    CHECK_FALSE(accounts.find_token(hash(3)));
    CHECK(accounts.find_token(hash(4))->id == "t");
    REQUIRE(accounts.apply(remove_token("t")));
    CHECK_FALSE(accounts.find_token(hash(4)));
    CHECK_FALSE(accounts.find_token_by_id("t"));

    REQUIRE(accounts.apply(put(JoinToken{"j", hash(5), {1}, kTime, false})));
    REQUIRE(accounts.apply(remove_join_token("j")));
    CHECK_FALSE(accounts.find_join_token(hash(5)));

    REQUIRE(accounts.apply(put(Session{hash(6), "alice", kTime, kTime})));
    REQUIRE(accounts.apply(put(Session{hash(7), "bob", kTime, kTime})));
    std::vector<core::Hash> alices;
    accounts.for_each_session("alice", [&](auto const& session) {
        alices.push_back(session.secret);
    });
    CHECK(alices == std::vector{hash(6)});
    REQUIRE(accounts.apply(remove_session(hash(6))));
    CHECK_FALSE(accounts.find_session(hash(6)));
    CHECK(accounts.find_session(hash(7)));

    REQUIRE(accounts.apply(put(WakePassword{{1}, "c0000201"})));
    REQUIRE(accounts.apply(remove_wake_password({1})));
    CHECK_FALSE(accounts.find_wake_password({1}));
    REQUIRE(accounts.apply(remove_wake_password({1}))); // once more is no fault
}

TEST_CASE("accounts: records of other tables are not theirs") {
    Accounts accounts;
    CHECK(accounts.apply({eventstore::Table::Idempotency, "user/alice", "{"}));
    CHECK_FALSE(accounts.has_users());
}

TEST_CASE("random: a secret is its prefix and 256 bits in base64url, stored as its SHA-256") {
    SystemRandom random;
    auto const secret = make_secret(random, "cpm_agent_");
    CHECK(secret.size() == 10 + 43);
    CHECK(secret.starts_with("cpm_agent_"));
    CHECK(
        secret.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
        ) == std::string::npos
    );
    CHECK(secret != make_secret(random, "cpm_agent_"));
    CHECK(
        core::to_hex(hash_secret("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
    );
}
