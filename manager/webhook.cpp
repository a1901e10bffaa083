#include "manager/webhook.hpp"

#include <array>
#include <sodium.h>

namespace cpm::manager {
namespace {

constexpr std::array kPresets{
    WebhookPreset::Generic, WebhookPreset::Slack, WebhookPreset::Discord, WebhookPreset::Ntfy};
constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kLeastKey = 24;
constexpr std::size_t kMostKey = 64;

} // namespace

std::string_view to_string(WebhookPreset preset) {
    switch (preset) {
    case WebhookPreset::Generic: return "generic";
    case WebhookPreset::Slack: return "slack";
    case WebhookPreset::Discord: return "discord";
    case WebhookPreset::Ntfy: return "ntfy";
    }
    return "";
}

std::optional<WebhookPreset> parse_webhook_preset(std::string_view text) {
    for (auto const preset : kPresets)
        if (to_string(preset) == text)
            return preset;
    return std::nullopt;
}

std::optional<std::string> webhook_key(std::string_view secret) {
    if (!secret.starts_with(kSecretPrefix))
        return std::nullopt;
    secret.remove_prefix(kSecretPrefix.size());
    std::string key(kMostKey, '\0');
    std::size_t size = 0;
    auto* const bytes = reinterpret_cast<unsigned char*>(key.data());
    auto const read = sodium_base642bin(
        bytes,
        key.size(),
        secret.data(),
        secret.size(),
        nullptr,
        &size,
        nullptr,
        sodium_base64_VARIANT_ORIGINAL
    );
    if (read != 0 || size < kLeastKey)
        return std::nullopt;
    key.resize(size);
    return key;
}

bool is_notified(core::ActualStatus status) {
    using Status = core::ActualStatus;
    switch (status) {
    case Status::Crashed:
    case Status::Unknown:
    case Status::StartupDelayed:
    case Status::ShutdownDelayed: return true;
    case Status::On:
    case Status::Off:
    case Status::Starting:
    case Status::BeforeStopping:
    case Status::Stopping:
    case Status::ManuallyOn: return false;
    }
    return false;
}

} // namespace cpm::manager
