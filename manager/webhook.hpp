#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/status.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::manager {

/// How a receiver wants to be told.
enum class WebhookPreset : std::uint8_t { Generic, Slack, Discord, Ntfy };

std::string_view to_string(WebhookPreset preset); ///< "generic"
std::optional<WebhookPreset> parse_webhook_preset(std::string_view text);

/// Where notifications are sent to (HTTP 3.2). A record of the table Accounts.
struct Webhook {
    std::string id; ///< "whk_…"
    std::string name;
    std::string url; ///< may itself be a secret (Slack, Discord): not shown whole, not in the log
    WebhookPreset preset{};
    /// "whsec_…": what is sent is signed with it, so unlike a token's it cannot be kept as a hash.
    std::string secret;
    /// Of which statuses it wants to hear; empty: of all that people are notified of.
    std::vector<core::ActualStatus> statuses{};
    bool enabled = true;
    core::WallTime created_at{};
    core::Sequence version; ///< of its last change
    /// Notifications raised up to this event are done with: sent, or given up.
    core::Sequence told;
    bool operator==(Webhook const&) const = default;
};

/// The key in a secret of the form "whsec_" and 24 to 64 bytes in base64; none: it has another.
std::optional<std::string> webhook_key(std::string_view secret);

/// The statuses people are notified of: those a webhook can choose among.
bool is_notified(core::ActualStatus status);

} // namespace cpm::manager
