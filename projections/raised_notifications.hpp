#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "projections/notifications.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cpm::projections {

/// A notification that was raised, as it says it now or said it last.
struct Raised {
    core::Sequence raised_by;
    Notification notification;
    std::vector<std::string> server_names; ///< of its server_ids, in their order
    /// It went again before anybody was told: it was grouped with others, or was nothing.
    bool went_at_once = false;
};

/// The notifications that were raised last, those that have gone, too: for those who are told of
/// each (webhooks). A fold of decisions, as the notifications themselves are.
///
/// Limitations: keeps the newest kMost.
class RaisedNotifications {
  public:
    static constexpr std::size_t kMost = 1000;
    /// What goes within this time is told nobody.
    static constexpr core::seconds kSettle{3};

    /// What a decision changed, with the notifications and the fleet as they are after it.
    void apply_decision(
        std::span<core::Event const> decision,
        NotificationChanges const& changes,
        Notifications const& notifications,
        core::Fleet const& after
    );

    /// Oldest first.
    std::deque<std::shared_ptr<Raised>> const& items() const { return items_; }
    /// How many there were ever: the last of them are in items().
    std::uint64_t count() const { return count_; }

    /// Every member (packing.hpp).
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        auto& [items, count] = self;
        archive(items, count);
    }

  private:
    Raised* find(std::string_view id) const;

    std::deque<std::shared_ptr<Raised>> items_;
    std::uint64_t count_ = 0;
};

} // namespace cpm::projections
