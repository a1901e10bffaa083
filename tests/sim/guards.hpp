#pragma once

#include "core/event.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace cpm::sim {

/// What the model of the status model leaves to others (1.4, "Power requests"): how many servers of
/// a tag stay wanted ON, and that a request nobody was promised anything about becomes no order.
/// Read from the events alone, and by none of core's rules.
class Guards {
  public:
    /// Every event, in its order; `promised`: not what a failed sync left in the log.
    void enter(core::Event const& event, bool promised);

  private:
    struct Server {
        std::vector<std::string> tags;
        bool wanted_on = false;
        bool reporting = false;
    };

    void enter(Server& server, core::PowerRequested const& made);
    void check_least(Server const& server) const;

    std::map<core::ServerId, Server> servers_;
    std::map<std::string, std::uint32_t> least_; ///< min_on
    std::set<core::Sequence> unpromised_;
};

} // namespace cpm::sim
