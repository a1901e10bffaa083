#pragma once

#include "manager/webhook.hpp"
#include "projections/raised_notifications.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cpm::http {

/// What a webhook is sent, but for its address: the same in each attempt, so that a receiver that
/// hears it twice knows it by its id.
struct WebhookMessage {
    std::string id; ///< header webhook-id
    std::string content_type{};
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{}; ///< of the preset
};

/// One notification, in the words of the preset.
WebhookMessage compose_message(manager::Webhook const& webhook, projections::Raised const& raised);

/// That the log was rolled back: no notification of the log itself. `epoch`: the log's.
WebhookMessage compose_rolled_back(manager::Webhook const& webhook, std::uint64_t epoch);

/// A trial. `id` is one nobody has seen.
WebhookMessage
compose_test(manager::Webhook const& webhook, std::string_view id, core::WallTime now);

/// Whether the webhook wants to hear of this notification: one of a status when it chose that
/// status (of many that fell silent: Crashed or Unknown), any other always.
bool wants(manager::Webhook const& webhook, projections::Notification const& notification);

/// The header webhook-signature ("v1,…": HMAC-SHA256, Standard Webhooks 1.0). `at`: seconds since
/// 1970, as in the header webhook-timestamp. Empty for a secret that is none.
std::string sign_message(std::string_view secret, WebhookMessage const& message, std::int64_t at);

} // namespace cpm::http
