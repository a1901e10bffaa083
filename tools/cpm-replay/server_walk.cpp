#include "tools/cpm-replay/server_walk.hpp"

#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/progress.hpp"

#include <algorithm>
#include <deque>

namespace cpm::replay {
namespace {

/// Read ahead at once; bounds what is held in memory.
constexpr std::size_t kAhead = 256;

struct Kept {
    core::Event event;
    core::Hash hash{};
    std::vector<std::uint8_t> bytes;
};

/// One server's events, a few at a time.
class Cursor {
  public:
    Cursor(
        eventstore::EventReader const& log,
        core::ServerId server,
        core::Sequence first,
        core::Sequence last
    )
        : log_(log)
        , server_(server)
        , next_(first)
        , last_(last) {}

    /// The next event, none at the end.
    core::Result<Kept const*> front() {
        if (ahead_.empty() && next_ <= last_)
            if (auto done = fill(); !done)
                return tl::make_unexpected(done.error());
        return ahead_.empty() ? nullptr : &ahead_.front();
    }
    void pop() { ahead_.pop_front(); }

  private:
    core::Result<void> fill() {
        auto const keep = [&](eventstore::StoredEvent const& stored) {
            next_ = stored.event.sequence.next();
            ahead_.push_back({stored.event, stored.hash, {stored.bytes.begin(), stored.bytes.end()}}
            );
            return ahead_.size() < kAhead;
        };
        auto const done = log_.read_server(server_, next_, last_, keep);
        if (ahead_.size() < kAhead)
            next_ = last_.next();
        return done;
    }

    eventstore::EventReader const& log_;
    core::ServerId server_;
    core::Sequence next_;
    core::Sequence last_;
    std::deque<Kept> ahead_;
};

} // namespace

core::Result<void> walk_servers(
    eventstore::EventReader const& log,
    std::vector<core::ServerId> const& servers,
    core::Sequence first,
    core::Sequence last,
    eventstore::EventVisitor const& visit
) {
    last = std::min(last, log.head().sequence);
    std::vector<Cursor> cursors;
    for (auto const server : servers)
        cursors.emplace_back(log, server, first, last);
    Progress shown(first, last, true);
    core::Sequence seen; // what names a server concerns it and the fleet
    while (!stop_requested()) {
        Cursor* earliest = nullptr;
        Kept const* event = nullptr;
        for (auto& cursor : cursors) {
            auto const front = cursor.front();
            if (!front)
                return tl::make_unexpected(front.error());
            if (*front && (!event || (*front)->event.sequence < event->event.sequence)) {
                earliest = &cursor;
                event = *front;
            }
        }
        if (!event)
            return {};
        shown.reached(event->event.sequence);
        bool const is_new = event->event.sequence > seen;
        seen = event->event.sequence;
        if (is_new && !visit({event->event, event->hash, event->bytes}))
            return {};
        earliest->pop();
    }
    return {};
}

} // namespace cpm::replay
