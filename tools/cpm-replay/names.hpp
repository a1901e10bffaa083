#pragma once

#include "core/event.hpp"
#include "eventstore/event_log.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace cpm::replay {

/// The servers' names as far as the log was read; a removed server keeps its last one.
class Names {
  public:
    void note(core::Event const& event);
    /// Empty for no server; the id when the name is not known.
    std::string of(core::ServerId server) const;

  private:
    std::unordered_map<core::ServerId, std::string> names_;
};

/// Servers that people named on the command line, by id or by a name they have or had.
class ServerChoice {
  public:
    explicit ServerChoice(std::vector<std::string> wanted)
        : wanted_(std::move(wanted)) {}

    /// Learns from an event which servers are meant.
    void note(core::Event const& event);
    /// Learns from all that the log's index lists of the fleet. NotFound, naming the one that no
    /// server of the log ever was.
    core::Result<void> resolve(eventstore::EventReader const& log);

    /// Whether nothing was chosen, or this server was.
    bool has(core::ServerId server) const { return wanted_.empty() || ids_.contains(server); }
    bool is_all() const { return wanted_.empty(); }
    /// The one that was called so last, of several in the course of time.
    core::ServerId latest() const { return latest_; }
    /// Those that were chosen.
    std::vector<core::ServerId> ids() const { return {ids_.begin(), ids_.end()}; }

  private:
    std::vector<std::string> wanted_;
    std::unordered_set<std::string> met_; ///< of wanted_
    std::unordered_set<core::ServerId> ids_;
    core::ServerId latest_;
};

} // namespace cpm::replay
