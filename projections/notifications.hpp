#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "projections/mass_silence.hpp"
#include "projections/notification.hpp"

#include <compare>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cpm::projections {

/// What one decision changed: for the stream's `notification` and `notification_cleared`.
struct NotificationChanges {
    std::vector<std::string> shown;   ///< ids of those that are new or say something else
    std::vector<std::string> cleared; ///< ids of those that are gone
    bool operator==(NotificationChanges const&) const = default;
};

/// The footer: which notifications stand (status model 1.4, 1.6). A fold of decisions.
///
/// - Crashed, Unknown, StartupDelayed, ShutdownDelayed: from the decision that leads to the status
///   until the one that ends it. None for Unknown that never reported, nor for row ON/Stopping/ON
///   while the standby time is open.
/// - Adopted (where people are to be told) and Withdrawn: until a power status is asked for.
/// - SetAside: until the agent joins or is reinstated.
/// - SilenceOfMany: one in the place of the Crashed and Unknown of all servers it covers, until
/// none
///   is left.
/// - All: until dismissed, or the server is removed. A dismissed one stays away until its status
///   has gone and returned.
///
/// Operation: apply the decisions in order, from the first of the log, each with the fleet as it
/// is after all of its events (and no further).
///
/// Concurrency: a value; one thread at a time.
class Notifications {
  public:
    NotificationChanges
    apply_decision(std::span<core::Event const> decision, core::Fleet const& after);

    /// Those that stand, oldest first. Valid until the next decision is applied.
    std::vector<Notification const*> items() const;
    /// The one that stands by this id, or null. Valid until the next decision is applied.
    Notification const* find(std::string_view id) const;

    /// Every member (packing.hpp).
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        auto& [shown, silence, many, standing] = self;
        archive(shown, silence, many, standing);
    }

  private:
    struct Key {
        core::Sequence raised_by;
        NotificationKind kind{};
        auto operator<=>(Key const&) const = default;
    };
    /// What holds for a server: at most one a kind. A dismissed one is not shown.
    struct Standing {
        Key key;
        bool dismissed = false;
    };
    using Shown = std::map<Key, Notification>;

    Shown::const_iterator find_shown(std::string_view id) const;
    Standing* find_standing(core::ServerId server, NotificationKind kind);
    void raise(
        NotificationKind kind,
        core::Event const& event,
        core::Fleet const& after,
        NotificationChanges& changes
    );
    void clear(core::ServerId server, NotificationKind kind, NotificationChanges& changes);
    void dismiss(std::string_view id, NotificationChanges& changes);
    void apply(core::Event const& event, core::Fleet const& after, NotificationChanges& changes);
    void conclude(
        std::span<core::Event const> decision,
        core::Fleet const& after,
        NotificationChanges& changes
    );
    void refresh(
        Key key, core::Server const& server, core::Fleet const& after, NotificationChanges& changes
    );

    void
    tell_of_many(core::Event const& event, core::Fleet const& after, NotificationChanges& changes);

    Shown shown_;
    MassSilence silence_;
    std::optional<Key> many_; ///< the SilenceOfMany that stands, also when it was dismissed
    std::unordered_map<core::ServerId, std::vector<Standing>> standing_;
};

} // namespace cpm::projections
