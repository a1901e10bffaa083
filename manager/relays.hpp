#pragma once

#include "core/fleet.hpp"
#include "core/time.hpp"
#include "wol/wake_sender.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cpm::manager {

/// A packet that a server's agent is asked to send for another server (wake-on-lan, "Relays").
struct WakeAsk {
    std::string id; ///< what the agent reports when it has
    core::ServerId sleeper;
    core::Sequence request; ///< the ON request it serves
    core::MacAddress mac;
    core::MonoTime until{}; ///< nobody is asked any more after that
    bool closed = false; ///< nor now: the sleeper needs it no longer; a report of it still counts
    bool operator==(WakeAsk const&) const = default;
};

/// Who is asked for what; a relay that is no longer asked has an empty list.
using WakeAsks = std::vector<std::pair<core::ServerId, std::vector<WakeAsk>>>;

/// IPv4 addresses of one segment, as numbers, both ends included.
struct Segment {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};

/// The segment on which a server sleeps, as far as it is known: the network of its directed
/// broadcast address, else the /24 of the address its agent last called from. Nothing is known of
/// one without both, nor of one that calls over loopback (a proxy) or IPv6.
std::optional<Segment> segment_of(core::Server const& server);

/// Whether the manager's own packets may reach the server: one of its interfaces is named for it or
/// in its network, or nothing is known of where it is.
bool is_within_reach(core::Server const& server, wol::WakeSender& sender);

/// The servers whose agents send packets for others, and what they are asked for at the moment.
///
/// Operation: a sleeper is one relay's at a time. What is asked is not kept over a restart: the
/// next round of packets asks anew. What was sent, and who did not answer, are events.
/// Concurrency: the writer's thread.
class Relays {
  public:
    /// How long an agent has to report a wake before another may be asked instead; one that holds a
    /// manifest call does so within a second.
    static constexpr core::seconds kGrace{5};
    /// After this time a wake is not handed out any more.
    static constexpr core::seconds kPatience{60};
    /// The most that are handed out at once; the others follow when these are reported.
    static constexpr std::size_t kAtOnce = 16;

    /// Learns where a server is; after each event that may change it.
    void note(core::Server const& server);
    void forget(core::ServerId server);

    /// The next server after the sleeper's last relay that is ON, sound and on the sleeper's
    /// segment, round and round; null: there is none.
    core::Server const* choose(core::Fleet const& fleet, core::Server const& sleeper) const;

    void ask(core::ServerId relay, WakeAsk ask);
    /// What this agent is to send now.
    std::vector<WakeAsk> asked_of(core::ServerId relay, core::MonoTime now) const;
    /// Whether this agent is still asked for that wake.
    bool awaits(core::ServerId relay, std::string_view id) const;
    /// This agent says that it has sent that wake. None when it was not asked for it, or when
    /// another agent was asked since.
    std::optional<WakeAsk> take(core::ServerId relay, std::string_view id);
    /// Nobody is asked for this sleeper any more; whoever has sent already may still say so.
    void close(core::ServerId sleeper);
    /// Whose agent is asked for this sleeper at the moment; none: nobody's.
    core::ServerId relay_of(core::ServerId sleeper) const;
    /// Whether that agent was asked within the grace.
    bool has_grace(core::ServerId sleeper, core::MonoTime now) const;
    /// Forgets what was asked for this sleeper; returns the relay and what it owes a report of.
    std::pair<core::ServerId, std::vector<WakeAsk>> end(core::ServerId sleeper);

    /// Each relay whose list became another since the last call.
    WakeAsks take_changes();

  private:
    using Place = std::pair<std::uint32_t, core::ServerId>;

    std::set<Place> places_;
    std::unordered_map<core::ServerId, std::uint32_t> address_of_;
    std::unordered_map<core::ServerId, std::vector<WakeAsk>> asks_; ///< by relay, oldest first
    std::unordered_map<core::ServerId, core::ServerId> relay_of_;   ///< by sleeper
    std::set<core::ServerId> changed_;
};

/// The part of this list that an agent is told now.
std::vector<WakeAsk> handed_out(std::vector<WakeAsk> const& asks, core::MonoTime now);

/// The manifest's version with these wakes in it: it changes when there is a new one.
std::string version_with(std::string version, std::vector<WakeAsk> const& handed_out);

} // namespace cpm::manager
