#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"

#include <deque>
#include <span>
#include <unordered_set>
#include <vector>

namespace cpm::projections {

/// Silence of many at once (status model 1.6): more than 3 servers, and more than 45 % of those
/// that were reporting, fall silent unexpectedly within one timeout. That is the manager's own
/// trouble until shown otherwise.
///
/// Operation: a fold of decisions. A server is covered from the loss that makes them many until it
/// reports, is removed, or its status is no trouble any more (somebody asked for a power status).
class MassSilence {
  public:
    /// Hears a decision about one server. `is_trouble`: people would be told of the status it has
    /// after it. Returns whether other servers are covered now than before.
    bool hear(std::span<core::Event const> decision, core::Fleet const& after, bool is_trouble);

    /// In the order in which they fell silent; empty: there is no such silence.
    std::vector<core::ServerId> const& covered() const { return covered_; }
    bool covers(core::ServerId server) const;

    /// Every member (packing.hpp).
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        auto& [reporting, recent, covered] = self;
        archive(reporting, recent, covered);
    }

  private:
    struct Loss {
        core::ServerId server;
        core::WallTime at;
    };
    bool forget(core::ServerId server);
    bool note_loss(core::Event const& lost, core::seconds timeout);

    std::unordered_set<core::ServerId> reporting_;
    std::deque<Loss> recent_; ///< within one timeout
    std::vector<core::ServerId> covered_;
};

} // namespace cpm::projections
