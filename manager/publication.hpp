#pragma once

#include "core/event.hpp"
#include "eventstore/event_log.hpp"
#include "manager/relays.hpp"
#include "projections/log_fold.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace cpm::manager {

/// One durable batch, for whoever folds the log into something people see.
struct Publication {
    std::vector<core::Event> events;
    std::vector<eventstore::RecordChange> changes;
    eventstore::Head head; ///< after the batch
    core::Now now;         ///< when it was decided
    WakeAsks wake_asks{};  ///< of each relay that is asked for something else from now on
    core::MonoClock::duration append_time{}; ///< how long it took to become durable
};

/// Hears the whole history once, its beginning perhaps folded already, then every batch after it is
/// durable and before it is answered. Called on the thread that runs the engine; it must not block.
class Subscriber {
  public:
    virtual ~Subscriber() = default;
    /// What followed from the log up to a snapshot: the history goes on behind it. At most once,
    /// and before the rest.
    virtual void on_restored(projections::LogFold&& fold) = 0;
    virtual void on_history(core::Event const& event) = 0;
    virtual void on_record(eventstore::RecordChange const& record) = 0;
    virtual void on_published(std::shared_ptr<Publication const> publication) = 0;
};

/// What the manager can do at the moment; /readyz says it.
enum class Readiness : std::uint8_t { Starting, Verifying, Ok, NoSpace, RolledBack, Fenced };

constexpr std::string_view to_string(Readiness readiness) {
    switch (readiness) {
    case Readiness::Starting: return "starting";
    case Readiness::Verifying: return "verifying";
    case Readiness::Ok: return "ok";
    case Readiness::NoSpace: return "no_space";
    case Readiness::RolledBack: return "rolled_back";
    case Readiness::Fenced: return "fenced";
    }
    return "";
}

} // namespace cpm::manager
