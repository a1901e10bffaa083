// The body of Standard Webhooks is {type, timestamp, data}; Slack, Discord and ntfy take text.
#include "http/webhook_message.hpp"

#include "http/notification_answers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sodium.h>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::WebhookPreset;
using projections::NotificationKind;
using projections::Severity;

constexpr std::size_t kMostText = 1900; // Discord takes 2,000 characters

/// What is to be told, whatever the preset makes of it.
struct Content {
    std::string_view type; ///< "notification"
    std::string timestamp;
    json::object data;
    std::string text;
    std::string_view priority; ///< ntfy's
};

/// At most so many bytes, and no half character at its end.
std::string cut(std::string text) {
    if (text.size() <= kMostText)
        return text;
    std::size_t end = kMostText;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    text.resize(end);
    return text + "…";
}

/// Slack reads &, < and > as marks of its own.
std::string for_slack(std::string_view text) {
    std::string escaped;
    for (char const c : text)
        switch (c) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        default: escaped += c;
        }
    return escaped;
}

WebhookMessage dress(manager::Webhook const& webhook, std::string id, Content const& content) {
    WebhookMessage message{.id = std::move(id), .content_type = "application/json"};
    switch (webhook.preset) {
    case WebhookPreset::Generic:
        message.body = json::serialize(json::object{
            {"type", content.type},
            {"timestamp", content.timestamp},
            {"data", content.data},
        });
        break;
    case WebhookPreset::Slack:
        message.body = json::serialize(json::object{{"text", for_slack(cut(content.text))}});
        break;
    case WebhookPreset::Discord:
        message.body = json::serialize(json::object{
            {"content", cut(content.text)},
            {"allowed_mentions", json::object{{"parse", json::array{}}}}, // nobody's name rings
        });
        break;
    case WebhookPreset::Ntfy:
        message.content_type = "text/plain; charset=utf-8";
        message.body = cut(content.text);
        message.headers = {{"Title", "CPM"}, {"Priority", std::string(content.priority)}};
        break;
    }
    return message;
}

std::string_view priority_of(Severity severity) {
    switch (severity) {
    case Severity::Info: return "default";
    case Severity::Warning: return "high";
    case Severity::Error: return "urgent";
    }
    return "default";
}

std::optional<core::ActualStatus> status_of(NotificationKind kind) {
    switch (kind) {
    case NotificationKind::Crashed: return core::ActualStatus::Crashed;
    case NotificationKind::Unknown: return core::ActualStatus::Unknown;
    case NotificationKind::StartupDelayed: return core::ActualStatus::StartupDelayed;
    case NotificationKind::ShutdownDelayed: return core::ActualStatus::ShutdownDelayed;
    case NotificationKind::Adopted:
    case NotificationKind::Withdrawn:
    case NotificationKind::SetAside:
    case NotificationKind::SilenceOfMany: return std::nullopt;
    }
    return std::nullopt;
}

} // namespace

WebhookMessage compose_message(manager::Webhook const& webhook, projections::Raised const& raised) {
    auto const& notification = raised.notification;
    auto data = projections::to_json(notification);
    json::array servers;
    for (std::size_t i = 0; i < notification.server_ids.size(); ++i)
        servers.push_back(json::object{
            {"id", core::to_string(notification.server_ids[i])},
            {"name", raised.server_names.at(i)},
        });
    data.erase("server_ids");
    data["servers"] = std::move(servers);
    return dress(
        webhook,
        notification.id,
        {
            .type = "notification",
            .timestamp = core::to_rfc3339(notification.since),
            .data = std::move(data),
            .text = notification.text,
            .priority = priority_of(notification.severity),
        }
    );
}

WebhookMessage compose_rolled_back(manager::Webhook const& webhook, std::uint64_t epoch) {
    auto data = rolled_back_notification();
    auto text = json::value_to<std::string>(data.at("text"));
    data.erase("server_ids");
    data["servers"] = json::array{};
    return dress(
        webhook,
        fmt::format("rolled_back_{}", epoch),
        {
            .type = "notification",
            .timestamp = {},
            .data = std::move(data),
            .text = std::move(text),
            .priority = "urgent",
        }
    );
}

WebhookMessage
compose_test(manager::Webhook const& webhook, std::string_view id, core::WallTime now) {
    std::string const text = "A trial of the webhook " + webhook.name + ": nothing has happened.";
    return dress(
        webhook,
        std::string(id),
        {
            .type = "test",
            .timestamp = core::to_rfc3339(now),
            .data = {{"text", text}},
            .text = text,
            .priority = "default",
        }
    );
}

bool wants(manager::Webhook const& webhook, projections::Notification const& notification) {
    auto const& chosen = webhook.statuses;
    auto const has = [&](core::ActualStatus status) {
        return std::ranges::count(chosen, status) > 0;
    };
    if (chosen.empty())
        return true;
    if (auto const status = status_of(notification.kind))
        return has(*status);
    return notification.kind != NotificationKind::SilenceOfMany ||
           has(core::ActualStatus::Crashed) || has(core::ActualStatus::Unknown);
}

std::string sign_message(std::string_view secret, WebhookMessage const& message, std::int64_t at) {
    auto const key = manager::webhook_key(secret);
    if (!key)
        return {};
    auto const bytes = [](std::string_view text) {
        return reinterpret_cast<unsigned char const*>(text.data());
    };
    auto const head = fmt::format("{}.{}.", message.id, at);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, bytes(*key), key->size());
    crypto_auth_hmacsha256_update(&state, bytes(head), head.size());
    crypto_auth_hmacsha256_update(&state, bytes(message.body), message.body.size());
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
    crypto_auth_hmacsha256_final(&state, mac.data());
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::array<char, sodium_base64_ENCODED_LEN(mac.size(), kVariant)> text{};
    sodium_bin2base64(text.data(), text.size(), mac.data(), mac.size(), kVariant);
    return std::string("v1,") + text.data();
}

} // namespace cpm::http
