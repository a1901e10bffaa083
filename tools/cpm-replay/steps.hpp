#pragma once

#include "core/fleet.hpp"
#include "eventstore/event_log.hpp"
#include "tools/cpm-replay/server_changes.hpp"

#include <optional>
#include <vector>

namespace cpm::replay {

/// One event of a server, and what it changed.
struct Step {
    core::Event event;
    core::Hash hash{};
    std::vector<Change> changes;
};

/// The events of one server, one after the other, in both directions: its own, and those of the
/// manager that changed it.
///
/// Operation: load() reads the server's events once, by index, and remembers their numbers and the
/// server's state at each 256th; a step is read again when it is looked at. So memory does not grow
/// with what the events hold.
class Steps {
  public:
    /// `log` must outlive this.
    Steps(eventstore::EventReader const& log, core::ServerId server)
        : log_(log)
        , server_(server) {}

    core::Result<void> load();

    std::size_t size() const { return steps_.size(); }
    /// The step of this index, below size(). The one after the last one asked for costs least.
    core::Result<Step> at(std::size_t index);
    /// The nearest step behind (or before) this index that changed the status, if any.
    std::optional<std::size_t> next_change(std::size_t index) const;
    std::optional<std::size_t> previous_change(std::size_t index) const;

  private:
    static constexpr std::size_t kBetween = 256;

    struct Place {
        core::Sequence sequence;
        bool changed_status = false;
    };
    void take(core::Fleet& fleet, core::Event const& event) const;

    eventstore::EventReader const& log_;
    core::ServerId server_;
    std::vector<Place> steps_;
    std::vector<core::Fleet> before_; ///< the fleet of this server alone, before step 0, 256, 512…
    std::size_t ready_ = 0;           ///< the step that fleet_ stands before
    core::Fleet fleet_;
};

} // namespace cpm::replay
