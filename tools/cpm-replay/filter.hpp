#pragma once

#include "core/event.hpp"
#include "tools/cpm-replay/names.hpp"
#include "tools/cpm-replay/options.hpp"

namespace cpm::replay {

/// Which events were asked for: those that pass in each of server, family, type, actor, sequence
/// and time, where none given lets all pass.
class Filter {
  public:
    /// `options` must outlive the filter.
    explicit Filter(Options const& options)
        : options_(options)
        , servers_(options.servers) {}

    core::Result<void> resolve(eventstore::EventReader const& log) { return servers_.resolve(log); }
    /// Learns who a server is; called with each event, in order.
    void note(core::Event const& event) { servers_.note(event); }
    bool passes(core::Event const& event) const;

    ServerChoice const& servers() const { return servers_; }

    /// The range of sequences, as far as sequences were given.
    core::Sequence first() const;
    core::Sequence last() const;

  private:
    Options const& options_;
    ServerChoice servers_;
};

} // namespace cpm::replay
