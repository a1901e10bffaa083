#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"

#include <unordered_map>

namespace cpm::manager {

/// Limits the reports of one agent that say nothing new (HTTP 3.3, "Too many reports"), so that an
/// agent that runs wild does not fill the log. Only routine reports are ever refused
/// (core::is_routine).
///
/// Operation: a token bucket. A report takes one of many places, and one place comes back each
/// quarter of the heartbeat interval. A sound agent reports once an interval and never meets the
/// limit, even if it is restarted. Reports that do not count (1.4) have places of their own, so
/// that a clone takes none from the machine that is meant. When the interval changes, all places
/// are free. Nothing is kept over a restart of the manager. Concurrency: the writer's thread.
class ReportLimits {
  public:
    /// This many at once: more than any burst with a purpose, and some 20 MB on the disk.
    static constexpr int kAhead = 100'000;

    enum class Kind : std::uint8_t { Counting, Ignored };

    explicit ReportLimits(int ahead)
        : ahead_(ahead) {}

    /// How long until one more routine report of this server is recorded; 0: it is now. `interval`:
    /// the server's heartbeat interval.
    core::milliseconds
    wait(core::ServerId server, Kind kind, core::MonoTime now, core::seconds interval) const;
    /// A report of this server is recorded.
    void take(core::ServerId server, Kind kind, core::MonoTime now, core::seconds interval);

    void forget(core::ServerId server) { entries_.erase(server); }

  private:
    struct Places {
        core::seconds interval{};
        core::MonoTime free_at{}; ///< when all have come back
    };
    struct Entry {
        Places counting;
        Places ignored;

        Places& of(Kind kind) { return kind == Kind::Counting ? counting : ignored; }
        Places const& of(Kind kind) const { return kind == Kind::Counting ? counting : ignored; }
    };

    int ahead_;
    std::unordered_map<core::ServerId, Entry> entries_;
};

} // namespace cpm::manager
