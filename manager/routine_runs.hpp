#pragma once

#include "core/event.hpp"
#include "core/hash.hpp"

#include <deque>
#include <optional>
#include <unordered_map>

namespace cpm::manager {

/// Finds the runs of routine heartbeats that a log can do without (event log 2.3).
///
/// A heartbeat is in a run when its server said the same at least twice right before it, with no
/// other event of that server in between: then it left the state (status model 1.2) as it was; when
/// it tells nothing else that is new; and when the next event of its server is a heartbeat again:
/// so the newest of each server stays, and each one that a loss, a transition or an explanation
/// refers to. A run is numbers without a hole, so that the chain goes on behind it.
///
/// Operation: add() the events in order, from anywhere; take() the runs as they are complete. What
/// came before the first event is unknown, so of each server the first two heartbeats stay.
class RoutineRuns {
  public:
    /// For shorter runs the event that names the run would take as much space as is saved.
    static constexpr std::uint64_t kLeast = 4;
    /// The most that is deleted at once.
    static constexpr std::uint64_t kMost = 1024;
    /// The most events that wait for the next word of a server; beyond that its heartbeat stays.
    static constexpr std::size_t kMostUndecided = 1 << 18;

    void add(core::Event const& event, core::Hash const& hash);
    /// A run that is open is complete, too.
    void end_run() { close(); }
    std::optional<core::HeartbeatsCompacted> take();

  private:
    enum class Verdict : std::uint8_t { Undecided, Stays, Goes };
    struct Entry {
        core::Sequence sequence;
        core::Hash hash{};
        Verdict verdict{};
    };
    /// The last words of one server.
    struct Track {
        core::HeartbeatReceived said;
        std::uint64_t times = 0;     ///< it said so, one after the other
        std::uint64_t undecided = 0; ///< the number of its entry; 0: none
        bool has_report = false;     ///< of that entry: it carries a report number
    };

    Verdict judge(core::Event const& event);
    Verdict judge_heartbeat(core::Event const& event, core::HeartbeatReceived heartbeat);
    void decide(Track& track, Verdict verdict);
    void settle();
    void extend(Entry const& entry);
    void close();

    std::unordered_map<core::ServerId, Track> tracks_;
    std::deque<Entry> entries_;     ///< from the first undecided one on
    std::uint64_t settled_ = 0;     ///< how many entries came before
    Entry before_;                  ///< the last of them
    core::HeartbeatsCompacted run_; ///< count 0: none is open
    std::deque<core::HeartbeatsCompacted> ready_;
};

} // namespace cpm::manager
