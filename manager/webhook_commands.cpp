#include "manager/webhook_commands.hpp"

#include "manager/accounts_codec.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <sodium.h>

namespace cpm::manager {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostWebhooks = 100;
constexpr std::size_t kKeyBytes = 32;

std::string make_webhook_secret(Random& random) {
    std::array<std::uint8_t, kKeyBytes> key{};
    random.fill(key);
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::array<char, sodium_base64_ENCODED_LEN(kKeyBytes, kVariant)> text{};
    sodium_bin2base64(text.data(), text.size(), key.data(), key.size(), kVariant);
    return std::string("whsec_") + text.data();
}

/// What the log says of it.
std::string without_secrets(Webhook const& webhook) {
    auto const scheme = webhook.url.find("://");
    auto const host = webhook.url.substr(0, webhook.url.find_first_of("/?", scheme + 3));
    json::array statuses;
    for (auto const status : webhook.statuses)
        statuses.emplace_back(core::to_string(status));
    return json::serialize(json::object{
        {"name", webhook.name},
        {"to", host},
        {"preset", to_string(webhook.preset)},
        {"statuses", std::move(statuses)},
        {"enabled", webhook.enabled},
    });
}

core::Sequence
record(Turn& turn, core::Actor const& actor, std::string const& id, std::string value) {
    core::SettingsChanged changed;
    changed.changes.emplace_back("webhooks." + id, std::move(value));
    return turn.record_one({}, std::move(changed), actor);
}

core::Result<Webhook const*>
find(Turn const& turn, std::string const& id, std::optional<core::Sequence> if_match) {
    auto const* const found = turn.accounts().find_webhook(id);
    if (!found)
        return core::fail(core::ErrorCode::NotFound, "there is no webhook " + id);
    if (if_match && *if_match != found->version)
        return core::fail(
            core::ErrorCode::Stale, "this webhook was changed meanwhile: read it again first"
        );
    return found;
}

} // namespace

core::Result<AddWebhook::Outcome> decide(Turn& turn, AddWebhook const& command) {
    if (turn.accounts().webhooks().size() >= kMostWebhooks)
        return core::fail(
            core::ErrorCode::Conflict, "there are 100 webhooks already: remove one first"
        );
    auto webhook = command.webhook;
    webhook.id = make_id(turn.random(), "whk_");
    if (webhook.secret.empty())
        webhook.secret = make_webhook_secret(turn.random());
    webhook.created_at = turn.now().wall;
    webhook.version = record(turn, command.actor, webhook.id, without_secrets(webhook));
    webhook.told = webhook.version;
    turn.change(put(webhook));
    return AddWebhook::Outcome{webhook.id, webhook.secret, webhook.version};
}

core::Result<ChangeWebhook::Outcome> decide(Turn& turn, ChangeWebhook const& command) {
    auto const found = find(turn, command.id, command.if_match);
    if (!found)
        return tl::make_unexpected(found.error());
    auto const before = **found;
    auto webhook = before;
    command.edit(webhook);
    if (webhook == before)
        return ChangeWebhook::Outcome{};
    webhook.version = record(turn, command.actor, webhook.id, without_secrets(webhook));
    if (!before.enabled) // what happened while it was off is not told later
        webhook.told = webhook.version;
    turn.change(put(webhook));
    return ChangeWebhook::Outcome{webhook.version};
}

core::Result<RemoveWebhook::Outcome> decide(Turn& turn, RemoveWebhook const& command) {
    auto const found = find(turn, command.id, command.if_match);
    if (!found)
        return tl::make_unexpected(found.error());
    auto const sequence = record(turn, command.actor, command.id, "null");
    turn.change(remove_webhook(command.id));
    return RemoveWebhook::Outcome{sequence};
}

core::Result<NoteWebhookTold::Outcome> decide(Turn& turn, NoteWebhookTold const& command) {
    auto const* const found = turn.accounts().find_webhook(command.id);
    if (!found || found->told >= command.told)
        return NoteWebhookTold::Outcome{};
    auto webhook = *found;
    webhook.told = command.told;
    turn.change(put(webhook));
    return NoteWebhookTold::Outcome{};
}

} // namespace cpm::manager
