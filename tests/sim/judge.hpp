#pragma once

#include "manager/engine.hpp"
#include "tests/sim/afterwards.hpp"
#include "tests/sim/calls.hpp"
#include "tests/sim/disk_watch.hpp"
#include "tests/sim/journal.hpp"
#include "tests/sim/reading.hpp"
#include "tests/sim/witnessed.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace cpm::sim {

class Machine;
class World;

/// Holds the whole to its invariants after every event: what the log says against what machines
/// did, what people were told, and when. It knows the truth about machines and clocks, reads the
/// log with its own books, and asks nothing of the code it judges.
class Judge {
  public:
    explicit Judge(World& world)
        : world_(world)
        , afterwards_(world) {}

    // --- the manager

    void manager_starts();
    void manager_serves(Time armed);
    void manager_turns(Time free_since, bool listening);
    void published(manager::Publication const& publication, Time durable);
    void manager_turned(manager::Engine const& engine, std::size_t held, std::size_t queued);
    void manager_ended();
    /// Answers are remembered for 24 h of that clock.
    void wall_was_stepped() { told_.clear(); }
    /// An older log took the place of the one that was: what was answered since may be gone.
    void history_was_lost();

    /// The manager sends a magic packet.
    void sent_packet(core::MacAddress const& mac);

    // --- what was answered

    void answered(Request const& request, manager::ManifestOutcome const& outcome);
    /// A person is told within a round that this is so already, and nothing was decided.
    void told_unchanged(manager::Turn& turn, core::ServerId server, core::PowerStatus target) const;
    /// A person's change was answered 2xx. `sequence` none: nothing was to be changed.
    void told_person(
        std::string const& key,
        std::string const& body,
        core::ServerId server,
        core::PowerStatus target,
        core::Sequence sequence
    );
    /// An answer under an Idempotency-Key is kept for 24 h, so what is kept has a bound.
    void asked_with_key(core::WallTime at) { keyed_.push_back(at); }
    void told_with_key(core::WallTime asked);

    // --- the machines

    void asked(Machine const& machine, Request const& request);
    void heard(Machine const& machine, Reply const& reply);
    void asked_to_relay(Machine const& machine, Reply const& reply, bool is_held);
    void joined(Machine const& machine);
    void agent_begins(Machine const& machine);
    /// As a relay it sends a magic packet.
    void relays(Machine const& machine, wol::MacAddress const& mac);
    void hooks_ended(Machine const& machine, bool fine);
    /// It is about to go down for this request.
    void acted(Machine const& machine, std::uint64_t request, agent::OffMethod method);
    /// Its system goes down, and its agent could say so by now.
    void goes_down(Machine const& machine);
    void changed(Machine const& machine);

    // --- afterwards

    void faults_ended() { afterwards_.begin(); }
    /// Once a second from then on. Whether everything has come to its end.
    bool is_at_rest() { return afterwards_.look(reading_); }
    /// The log from nothing is what is served.
    void compare_replay();
    /// People are told of what did not come to its end as it should, and of nothing else.
    void check_notifications() const;

    std::uint64_t acts() const { return acts_; }

  private:
    using Reports = std::map<std::pair<core::ServerId, core::BootIdentity>, std::uint64_t>;

    struct CompareFleet;
    friend core::Result<bool> decide(manager::Turn& turn, CompareFleet const& command);

    void catch_up(core::Sequence upto);
    bool is_there(Reading const& reading) const;
    void go_back();
    void keep();
    core::Event read(core::Sequence sequence) const;
    std::vector<core::Event> not_yet_seen(manager::Turn& turn) const;
    void enter(core::Event const& event, Time durable, Time decided);
    void note(core::Event const& event, Time durable, Time decided);
    void end_decision();
    void tell(core::Event const& event) const;
    bool is_rolled_back() const;
    void compare_served(manager::Publication const& publication);
    void compare_engine();
    void
    enter(Book& book, core::HeartbeatReceived const& heard, core::Event const& event, Time durable);
    void enter(Book& book, core::HeartbeatLost const& lost, core::Event const& event, Time decided);
    void
    enter(Book& book, core::PowerRequested const& made, core::Event const& event, Time decided);
    void enter(
        Book& book,
        core::OrderSent const& order,
        core::Event const& event,
        Time durable,
        Time decided
    );
    void
    elapsed(Book& book, core::StandbyElapsed const& event, core::Event const& of, Time decided);
    void check_said(core::Event const& event) const;
    void check_lateness(Time due, Time decided, std::string const& what) const;
    void check_overdue(Time began) const;
    void check_kept();
    Reading const* reading_with(Asked const& asked, core::ServerId server) const;
    void check_witness(agent::Report const& report) const;
    void check_report(Machine const& machine, Witnessed& seen, agent::Report const& report);
    Witnessed& witness(Machine const& machine);
    Time decided_at(core::MonoTime mono) const;

    World& world_;
    Afterwards afterwards_;
    DiskWatch disk_;
    Reading reading_;
    std::deque<std::pair<Time, Reading>> lost_; ///< what an older log took the place of, and when
    std::deque<Reading> kept_; ///< as it was at some starts: a log may lose its end
    core::Sequence decision_;  ///< the one under way
    core::ServerId decides_for_;
    bool was_rolled_back_ = false;              ///< when the round began
    Time compared_{};                           ///< the engine's own state
    bool served_is_kept_ = false;               ///< nothing that was served may be gone
    bool live_now_ = false;                     ///< events are published, not read back
    std::optional<core::Sequence> unconfirmed_; ///< from here on a failed sync left what it left
    std::chrono::microseconds wall_at_start_{};
    bool serves_ = false;
    Time free_since_{};
    bool listening_ = false;     ///< since the round before
    std::optional<Time> turned_; ///< when the last round began; none: it could decide nothing
    Time checked_{};
    std::vector<Witnessed> witnessed_;                ///< by machine
    std::map<core::ServerId, std::deque<Said>> said_; ///< the last ones, of clones, too
    Reports reports_;                                 ///< the highest that was answered 200
    std::map<std::string, Told> told_;
    std::set<core::Sequence> accepted_;        ///< requests
    std::vector<core::WallTime> keyed_;        ///< when what may still be remembered was asked
    std::map<core::ServerId, Time> wanted_on_; ///< when somebody was last told that ON is accepted
    std::uint64_t acts_ = 0;
};

} // namespace cpm::sim
