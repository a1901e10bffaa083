#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"

#include <unordered_map>

namespace cpm::manager {

/// How often one agent may be heard to no purpose (HTTP 3.3, "Too many reports"), so that one that
/// runs wild does not fill the log. Only routine reports are ever refused (core::is_routine).
///
/// Operation: a report takes one of many places, and one comes back each quarter of the interval.
/// An agent reports once an interval: it never meets the limit, restarted or asked anew. Those that
/// do not count (1.4) have places of their own: a clone takes none of the machine that is meant.
/// With another interval all places are free. Not kept over a restart of the manager: the first
/// reports after it count. Concurrency: the writer's thread.
class ReportLimits {
  public:
    /// So many at once: more than any burst with a purpose, and some 20 MB on the disk.
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
