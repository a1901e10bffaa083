#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "core/hash.hpp"
#include "projections/notifications.hpp"
#include "projections/raised_notifications.hpp"
#include "projections/sign_in_addresses.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cpm::projections {

/// All that follows from the log and outlives a restart: what decisions and everything served are
/// made of. One fold, so that a start that reads it from a snapshot (event log 2.3) has what it
/// would have from all the events.
///
/// Concurrency: a value; one thread at a time.
class LogFold {
  public:
    static constexpr std::size_t kRecent = 20; ///< events remembered of each server

    /// Takes the next event in. Notifications follow decisions: returned is what the decision
    /// before changed, if this event begins another.
    NotificationChanges apply(core::Event const& event);
    /// Nothing more comes of the last decision: what it changed.
    NotificationChanges conclude();

    core::Sequence sequence() const { return sequence_; } ///< the last event taken in, or none
    core::Fleet const& fleet() const { return fleet_; }
    Notifications const& notifications() const { return notifications_; }
    RaisedNotifications const& raised() const { return raised_; }
    SignInAddresses const& sign_ins() const { return sign_ins_; }

    /// The last events of a server that changed something, ascending; at least the one that added
    /// it.
    std::vector<core::Sequence> recent_events(core::ServerId server) const;
    /// All events that concern every server (ServerHistory), ascending.
    std::vector<core::Event> const& common_events() const { return common_; }

    /// Every member (packing.hpp).
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        auto& [sequence, fleet, notifications, raised, sign_ins, recent, common, open] = self;
        archive(sequence, fleet, notifications, raised, sign_ins, recent, common, open);
    }

  private:
    void note_recent(core::Event const& event);

    core::Sequence sequence_;
    core::Fleet fleet_;
    Notifications notifications_;
    RaisedNotifications raised_;
    SignInAddresses sign_ins_;
    std::unordered_map<core::ServerId, std::deque<core::Sequence>> recent_;
    std::vector<core::Event> common_;
    std::vector<core::Event> open_decision_; ///< until its last event is taken in
};

/// As bytes: equal folds, equal bytes. They mean something only to code with the same fold_code().
std::string pack(LogFold const& fold);
/// None: these are not such bytes.
std::optional<LogFold> unpack(std::string_view bytes);

/// A hash over the source of all that makes a state of the log's records: code with another one may
/// make another, or pack it otherwise.
core::Hash const& fold_code();

} // namespace cpm::projections
