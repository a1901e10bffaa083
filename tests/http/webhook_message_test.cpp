// What webhooks are sent (HTTP 3.2): addresses, signatures, and who wants to hear what.
#include "http/webhook_client.hpp"
#include "http/webhook_message.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using http::parse_webhook_url;
using projections::NotificationKind;

namespace {

manager::Webhook webhook(std::string url, manager::WebhookPreset preset) {
    manager::Webhook hook;
    hook.url = std::move(url);
    hook.preset = preset;
    return hook;
}

bool is_wanted(std::vector<core::ActualStatus> statuses, NotificationKind kind) {
    manager::Webhook hook;
    hook.statuses = std::move(statuses);
    projections::Notification notification;
    notification.kind = kind;
    return http::wants(hook, notification);
}

} // namespace

TEST_CASE("webhooks: the signature is that of Standard Webhooks 1.0 (HTTP 3.2)") {
    // The example of the Standard Webhooks libraries.
    http::WebhookMessage message;
    message.id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    message.body = R"({"test": 2432232314})";
    CHECK(
        http::sign_message("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", message, 1614265330) ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

TEST_CASE("webhooks: an URL is taken apart, and what could hide something is refused (HTTP 3.2)") {
    auto const plain = parse_webhook_url("http://ntfy.lan:8080/topic?x=1");
    REQUIRE(plain);
    CHECK_FALSE(plain->secure);
    CHECK(plain->host == "ntfy.lan");
    CHECK(plain->port == 8080);
    CHECK(plain->authority == "ntfy.lan:8080");
    CHECK(plain->target == "/topic?x=1");
    auto const secure = parse_webhook_url("https://[2001:db8::1]");
    REQUIRE(secure);
    CHECK(secure->secure);
    CHECK(secure->host == "2001:db8::1");
    CHECK(secure->port == 443);
    CHECK(secure->authority == "[2001:db8::1]");
    CHECK(secure->target == "/");
    CHECK(parse_webhook_url("https://x?y")->target == "/?y");
    for (auto const* const wrong :
         {"",
          "x",
          "ftp://x/",
          "https:/x",
          "https://",
          "https:///x",
          "https://:80/",
          "https://x:/",
          "https://x:0/",
          "https://x:65536/",
          "https://x:8x/",
          "https://u@x/",
          "https://u:p@x/",
          "https://x/#f",
          "https://x/ y",
          "https://x/\n",
          "https://[::1/",
          "https://[::1]x/",
          "https://x\\y/",
          "HTTPS://x/"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_webhook_url(wrong));
    }
    CHECK_FALSE(parse_webhook_url("https://x/" + std::string(2048, 'a')));
}

TEST_CASE("webhooks: an URL is shown without what may be a secret (HTTP 3.2)") {
    using enum manager::WebhookPreset;
    CHECK(http::shown_url(webhook("https://x/hook", Generic)) == "https://x/hook");
    CHECK(http::shown_url(webhook("https://x/hook?token=1", Generic)) == "https://x/hook?…");
    CHECK(
        http::shown_url(webhook("https://hooks.slack.com/a/b", Slack)) ==
        "https://hooks.slack.com/…"
    );
    CHECK(http::shown_url(webhook("https://ntfy.sh/topic", Ntfy)) == "https://ntfy.sh/…");
}

TEST_CASE("webhooks: chosen statuses, and what tells of no status (HTTP 3.2)") {
    using enum NotificationKind;
    using Status = core::ActualStatus;
    for (auto const kind :
         {Crashed,
          NotificationKind::Unknown,
          StartupDelayed,
          ShutdownDelayed,
          Adopted,
          Withdrawn,
          SetAside,
          SilenceOfMany})
        CHECK(is_wanted({}, kind));
    CHECK(is_wanted({Status::Crashed}, Crashed));
    CHECK_FALSE(is_wanted({Status::Crashed}, NotificationKind::Unknown));
    CHECK_FALSE(is_wanted({Status::Crashed}, StartupDelayed));
    CHECK_FALSE(is_wanted({Status::Crashed}, ShutdownDelayed));
    CHECK(is_wanted({Status::Crashed}, SilenceOfMany));
    CHECK_FALSE(is_wanted({Status::ShutdownDelayed}, SilenceOfMany));
    for (auto const kind : {Adopted, Withdrawn, SetAside})
        CHECK(is_wanted({Status::Crashed}, kind));
}

TEST_CASE("webhooks: a secret is whsec_ and 24 to 64 bytes in base64 (HTTP 3.2)") {
    CHECK(manager::webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")->size() == 24);
    for (auto const* const wrong :
         {"",
          "whsec_",
          "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!"}) {
        CAPTURE(wrong);
        CHECK_FALSE(manager::webhook_key(wrong));
    }
    CHECK_FALSE(manager::webhook_key("whsec_" + std::string(88, 'A')));
}
