#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"

#include <string>
#include <string_view>

namespace cpm::tools {

/// What the manager tells its operator: lines on standard error, or entries of systemd's journal
/// when that is where standard error leads.
///
/// Not the log: that one is the event log, whose sequence each line about an event begins with. Of
/// the journal's fields CPM_SEQUENCE, CPM_TYPE, CPM_SERVER, CPM_SERVER_NAME, CPM_ACTOR and
/// CPM_STATUS are the event's.
///
/// Concurrency: from any thread.
class OperatorLog {
  public:
    OperatorLog();

    /// One line that is about no event.
    void say(std::string_view line) const;
    /// The same for what somebody should look at.
    void warn(std::string_view line) const;

    /// A durable event. `server` is the one it concerns, after it; none if there is none (any
    /// more). A heartbeat that changed nothing is no line: there are millions.
    void tell(core::Event const& event, core::Server const* server) const;

    /// The line of an event: "123 PowerRequested rack1-node3: ON, standby time 300 s (user:alice)".
    static std::string line_of(core::Event const& event, core::Server const* server);

  private:
    bool to_journal_ = false;
};

} // namespace cpm::tools
