#pragma once

#include "manager/turn.hpp"
#include "manager/webhook.hpp"

#include <functional>
#include <optional>
#include <string>

namespace cpm::manager {

// Webhooks as people change them (HTTP 3.2). A change is told by SettingsChanged, under the name
// "webhooks.ID" and without secrets: neither the signing secret nor the URL's path.

struct AddWebhook {
    struct Outcome {
        std::string id;
        std::string secret;
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    Webhook webhook; ///< without id, times and sequences; without a secret it gets one
};
core::Result<AddWebhook::Outcome> decide(Turn& turn, AddWebhook const& command);

struct ChangeWebhook {
    struct Outcome {
        core::Sequence sequence; ///< none: nothing was changed
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string id;
    std::optional<core::Sequence> if_match; ///< the `version` the editor saw
    std::function<void(Webhook&)> edit;
};
core::Result<ChangeWebhook::Outcome> decide(Turn& turn, ChangeWebhook const& command);

struct RemoveWebhook {
    struct Outcome {
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    std::string id;
    std::optional<core::Sequence> if_match;
};
core::Result<RemoveWebhook::Outcome> decide(Turn& turn, RemoveWebhook const& command);

/// Up to this event its receiver was told. No event: it changes nothing that people see.
struct NoteWebhookTold {
    struct Outcome {};
    static constexpr bool kRefusedFirst = false;
    std::string id;
    core::Sequence told;
};
core::Result<NoteWebhookTold::Outcome> decide(Turn& turn, NoteWebhookTold const& command);

} // namespace cpm::manager
