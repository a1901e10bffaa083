#pragma once

#include "core/decide.hpp"
#include "core/fleet.hpp"
#include "core/mac_address.hpp"
#include "core/record.hpp"
#include "eventstore/event_log.hpp"
#include "manager/accounts.hpp"
#include "manager/idempotency.hpp"
#include "manager/random.hpp"
#include "manager/report_limits.hpp"

#include <functional>
#include <span>
#include <vector>

namespace cpm::manager {

class Relays;
class Waker;

/// The MAC addresses of the machine the manager runs on; none: they could never be listed, so any
/// server may be that machine. An empty list says that it has no network card.
using OwnMacs = std::function<std::optional<std::vector<core::MacAddress>>()>;

/// What a command sees and may do while it is decided: the present state, and a batch to which it
/// adds events and records. Later commands of the same round see what earlier ones decided; nothing
/// is answered before all is durable.
class Turn {
  public:
    struct World {
        core::Fleet& fleet;
        Accounts& accounts;
        Idempotency& idempotency;
        Random& random;
        Waker& waker;
        Relays& relays;
        ReportLimits& report_limits;
        /// EngineParts::own_macs, asked when it matters.
        OwnMacs const& own_macs;
        /// What is left of a server's open standby time.
        std::function<core::milliseconds(core::ServerId)> const& standby_remaining;
        /// Notes beside the log that it is older than somebody's witness of it.
        std::function<core::Result<void>(std::string_view, std::uint64_t)> const& mark_rolled_back;
        bool rolled_back = false;
        /// The highest epoch that the log or a witness of it is known to have reached.
        std::uint64_t witnessed_epoch = 0;
    };

    Turn(World world, core::Now now, core::Sequence head);

    core::Fleet const& fleet() const { return world_.fleet; }
    Accounts const& accounts() const { return world_.accounts; }
    Idempotency const& idempotency() const { return world_.idempotency; }
    Random& random() { return world_.random; }
    /// Packets for a server whose ON request is durable.
    Waker& waker() { return world_.waker; }
    Relays& relays() { return world_.relays; }
    ReportLimits& report_limits() { return world_.report_limits; }
    core::Now now() const { return now_; }
    /// Until an earlier command of this very round accepted it: a new epoch has begun.
    bool rolled_back() const { return world_.rolled_back && world_.fleet.epoch == epoch_; }
    /// From here on all are told ON, whatever the disk makes of the note (HTTP 3.3).
    core::Result<void> mark_rolled_back(std::string_view why, std::uint64_t witnessed_epoch);
    std::uint64_t witnessed_epoch() const { return world_.witnessed_epoch; }
    core::OwnHost own_host(core::Server const& server) const;
    /// Whole milliseconds; counts from the full standby time for a request of this very round.
    core::milliseconds standby_remaining(core::Server const& server) const;

    /// Records one decision (core::record) and returns its events; they are valid until the next
    /// decision.
    std::span<core::Event const> record(
        core::ServerId server,
        core::Payloads&& payloads,
        core::Actor const& actor,
        core::Sequence cause = {}
    );
    /// One event about no server, or about one that is not a power matter.
    core::Sequence
    record_one(core::ServerId server, core::Payload&& payload, core::Actor const& actor);
    void change(eventstore::RecordChange change);

    /// Whether an event was decided in this very round, and is not durable before it ends.
    bool is_of_this_round(core::Sequence event) const {
        return !events_.empty() && event >= events_.front().sequence;
    }
    /// The sequence of the next event.
    core::Sequence next() const { return head_.next(); }
    std::vector<core::Event>& events() { return events_; }
    std::vector<eventstore::RecordChange>& changes() { return changes_; }

  private:
    World world_;
    core::Now now_;
    core::Sequence head_;
    std::uint64_t epoch_;
    mutable std::optional<std::optional<std::vector<core::MacAddress>>> own_macs_; ///< asked once
    std::vector<core::Event> events_;
    std::vector<eventstore::RecordChange> changes_;
};

} // namespace cpm::manager
