#include "manager/accounts_codec.hpp"

#include "core/hex.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace cpm::manager {
namespace {

namespace json = boost::json;

std::int64_t micros(core::WallTime time) {
    return time.time_since_epoch().count();
}

core::WallTime time_of(json::value const& value) {
    return core::WallTime{std::chrono::microseconds{value.to_number<std::int64_t>()}};
}

std::string text_of(json::value const& value) {
    return json::value_to<std::string>(value);
}

/// A field that records of an earlier version do not have.
std::uint64_t number_of(json::object const& record, std::string_view name, std::uint64_t absent) {
    auto const* value = record.if_contains(name);
    return value ? value->to_number<std::uint64_t>() : absent;
}

core::Hash hash_of(std::string_view hex) {
    auto const hash = core::parse_hash(hex);
    if (!hash)
        throw std::invalid_argument("not a SHA-256 in hexadecimal digits");
    return *hash;
}

core::Role role_of(json::value const& value) {
    auto const role = core::parse_role(text_of(value));
    if (!role)
        throw std::invalid_argument("unknown role");
    return *role;
}

std::string wake_password_of(json::value const& value) {
    auto hex = text_of(value);
    if (!is_wake_password(hex))
        throw std::invalid_argument("not 4 or 6 bytes in hexadecimal digits");
    return hex;
}

core::ServerId server_of(std::string_view text) {
    auto const id = core::parse_server_id(text);
    if (!id)
        throw std::invalid_argument("not a server id");
    return *id;
}

Webhook webhook_of(std::string const& id, json::object const& record) {
    Webhook webhook{
        .id = id,
        .name = text_of(record.at("name")),
        .url = text_of(record.at("url")),
        .secret = text_of(record.at("secret")),
        .enabled = record.at("enabled").as_bool(),
        .created_at = time_of(record.at("created_at")),
        .version = {record.at("version").to_number<std::uint64_t>()},
        .told = {record.at("told").to_number<std::uint64_t>()},
    };
    auto const preset = parse_webhook_preset(text_of(record.at("preset")));
    if (!preset)
        throw std::invalid_argument("unknown preset");
    webhook.preset = *preset;
    for (auto const& text : record.at("statuses").as_array()) {
        auto const status = core::parse_actual_status(text_of(text));
        if (!status)
            throw std::invalid_argument("unknown status");
        webhook.statuses.push_back(*status);
    }
    return webhook;
}

Account decode(std::string_view kind, std::string const& id, json::object const& record) {
    if (kind == "user")
        return User{
            id,
            role_of(record.at("role")),
            text_of(record.at("password_hash")),
            record.at("disabled").as_bool(),
            time_of(record.at("created_at")),
            {number_of(record, "changed", 0)}};
    if (kind == "session") {
        Session session{
            .secret = hash_of(id),
            .username = text_of(record.at("username")),
            .created_at = time_of(record.at("created_at")),
            .expires_at = time_of(record.at("expires_at")),
            .password_at = time_of(record.at("created_at")),
            .address = {},
            .last_used_at = {},
        };
        if (auto const* used = record.if_contains("last_used_at"))
            session.last_used_at = time_of(*used);
        if (auto const* at = record.if_contains("password_at"))
            session.password_at = time_of(*at);
        if (auto const* address = record.if_contains("address"))
            session.address = text_of(*address);
        return session;
    }
    if (kind == "token") {
        ApiToken token{
            id,
            text_of(record.at("name")),
            role_of(record.at("role")),
            hash_of(text_of(record.at("secret"))),
            time_of(record.at("created_at")),
            std::nullopt,
            std::nullopt};
        if (auto const* used = record.if_contains("last_used_at"))
            token.last_used_at = time_of(*used);
        if (!record.at("expires_at").is_null())
            token.expires_at = time_of(record.at("expires_at"));
        return token;
    }
    if (kind == "agent") {
        AgentCredential credential{server_of(id), hash_of(text_of(record.at("secret"))), {}};
        if (auto const* next = record.if_contains("next"))
            credential.next = hash_of(text_of(*next));
        return credential;
    }
    if (kind == "join")
        return JoinToken{
            id,
            hash_of(text_of(record.at("secret"))),
            server_of(text_of(record.at("server"))),
            time_of(record.at("expires_at")),
            record.at("any_machine").as_bool()};
    if (kind == "wake")
        return WakePassword{server_of(id), wake_password_of(record.at("secure_on"))};
    if (kind == "webhook")
        return webhook_of(id, record);
    throw std::invalid_argument("unknown kind of account");
}

eventstore::RecordChange record(std::string key, json::object const& value) {
    return {eventstore::Table::Accounts, std::move(key), json::serialize(value)};
}

eventstore::RecordChange removal(std::string key) {
    return {eventstore::Table::Accounts, std::move(key), std::nullopt};
}

} // namespace

core::Result<Account> decode_account(std::string_view key, std::string_view value) {
    // Boost.JSON reports by exceptions; what was written by another version or damaged ends here,
    // as a Result.
    try {
        auto const slash = key.find('/');
        if (slash == std::string_view::npos)
            throw std::invalid_argument("a key without a kind");
        auto const parsed = json::parse(value);
        return decode(key.substr(0, slash), std::string(key.substr(slash + 1)), parsed.as_object());
    } catch (std::exception const& error) {
        return core::fail(
            core::ErrorCode::Corrupt,
            fmt::format("the account record {} cannot be read: {}", key, error.what())
        );
    }
}

eventstore::RecordChange put(User const& user) {
    return record(
        "user/" + user.name,
        {{"role", to_string(user.role)},
         {"password_hash", user.password_hash},
         {"disabled", user.disabled},
         {"created_at", micros(user.created_at)},
         {"changed", user.changed.value}}
    );
}

eventstore::RecordChange put(Session const& session) {
    json::object value{
        {"username", session.username},
        {"created_at", micros(session.created_at)},
        {"expires_at", micros(session.expires_at)},
        {"password_at", micros(session.password_at)},
        {"address", session.address},
    };
    if (session.last_used_at)
        value["last_used_at"] = micros(*session.last_used_at);
    return record("session/" + core::to_hex(session.secret), value);
}

eventstore::RecordChange put(ApiToken const& token) {
    json::object value{
        {"name", token.name},
        {"role", to_string(token.role)},
        {"secret", core::to_hex(token.secret)},
        {"created_at", micros(token.created_at)},
        {"expires_at", nullptr},
    };
    if (token.expires_at)
        value["expires_at"] = micros(*token.expires_at);
    if (token.last_used_at)
        value["last_used_at"] = micros(*token.last_used_at);
    return record("token/" + token.id, value);
}

eventstore::RecordChange put(AgentCredential const& credential) {
    json::object value{{"secret", core::to_hex(credential.secret)}};
    if (credential.next)
        value["next"] = core::to_hex(*credential.next);
    return record("agent/" + to_string(credential.server), value);
}

eventstore::RecordChange put(JoinToken const& token) {
    return record(
        "join/" + token.id,
        {{"secret", core::to_hex(token.secret)},
         {"server", to_string(token.server)},
         {"expires_at", micros(token.expires_at)},
         {"any_machine", token.any_machine}}
    );
}

eventstore::RecordChange put(WakePassword const& password) {
    return record("wake/" + to_string(password.server), {{"secure_on", password.hex}});
}

eventstore::RecordChange remove_user(std::string_view name) {
    return removal(fmt::format("user/{}", name));
}

eventstore::RecordChange put(Webhook const& webhook) {
    json::array statuses;
    for (auto const status : webhook.statuses)
        statuses.emplace_back(core::to_string(status));
    return record(
        "webhook/" + webhook.id,
        {{"name", webhook.name},
         {"url", webhook.url},
         {"preset", to_string(webhook.preset)},
         {"secret", webhook.secret},
         {"statuses", std::move(statuses)},
         {"enabled", webhook.enabled},
         {"created_at", micros(webhook.created_at)},
         {"version", webhook.version.value},
         {"told", webhook.told.value}}
    );
}

eventstore::RecordChange remove_session(core::Hash const& secret) {
    return removal("session/" + core::to_hex(secret));
}

eventstore::RecordChange remove_token(std::string_view id) {
    return removal(fmt::format("token/{}", id));
}

eventstore::RecordChange remove_agent(core::ServerId server) {
    return removal("agent/" + to_string(server));
}

eventstore::RecordChange remove_join_token(std::string_view id) {
    return removal(fmt::format("join/{}", id));
}

eventstore::RecordChange remove_wake_password(core::ServerId server) {
    return removal("wake/" + to_string(server));
}

eventstore::RecordChange remove_webhook(std::string_view id) {
    return removal(fmt::format("webhook/{}", id));
}

} // namespace cpm::manager
