#pragma once

#include "core/time.hpp"
#include "http/webhook_message.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

/// Where a URL leads.
struct WebhookAddress {
    bool secure = false;
    std::string host; ///< without the brackets of an IPv6 address
    std::uint16_t port = 0;
    std::string authority; ///< as in Host
    std::string target;    ///< path and query
};

/// An absolute http or https URL of at most 2,048 visible ASCII characters, without a user, a
/// password and a fragment; else none.
std::optional<WebhookAddress> parse_webhook_url(std::string_view url);

/// The URL without what may be a secret in it: for Slack, Discord and ntfy all behind the host,
/// else the query.
std::string shown_url(manager::Webhook const& webhook);

/// What became of one attempt.
struct WebhookResult {
    unsigned status = 0; ///< of the answer; 0: there was none
    std::string failure; ///< why there was none
    std::optional<core::seconds> retry_after;
    bool delivered() const { return status >= 200 && status < 300; }
};

/// One attempt: a connection of its own, 10 s for everything but looking the name up (10 s, too);
/// no redirect is followed, and of the answer only the head is read, at most 8 KiB of it. An https
/// receiver has to prove its name to whom the system trusts. Link-local addresses are not called:
/// a cloud's keys are there.
boost::asio::awaitable<WebhookResult> post_webhook(
    boost::asio::io_context& io,
    std::string url,
    WebhookMessage message,
    std::string secret,
    std::int64_t at
);

} // namespace cpm::http
