// cpm-replay log: the events, one a row.
#include "eventstore/side_files.hpp"
#include "projections/event_json.hpp"
#include "projections/event_text.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/filter.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/server_walk.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <algorithm>

namespace cpm::replay {
namespace {

class LogView {
  public:
    explicit LogView(Options const& options)
        : output_(options.output)
        , filter_(options)
        , table_(
              {"SEQUENCE", "TIME", "SERVER", "TYPE", "ACTOR", "STATUS", "SUMMARY"},
              standard_output(options.no_color)
          )
        , json_(options.output) {}

    core::Result<void> resolve(eventstore::EventReader const& log) { return filter_.resolve(log); }
    Filter const& filter() const { return filter_; }

    /// Learns what the servers were called before the first event that is shown.
    core::Result<void> note_names(eventstore::EventReader const& log) {
        core::Sequence const before{filter_.first().value - 1};
        return log.read_server(kFleet, {1}, before, [&](auto const& stored) {
            names_.note(stored.event);
            filter_.note(stored.event);
            return !stop_requested();
        });
    }

    /// False when nobody reads on.
    bool show(eventstore::StoredEvent const& stored) {
        auto const& event = stored.event;
        names_.note(event);
        filter_.note(event);
        if (!filter_.passes(event))
            return true;
        if (output_ != Output::Table)
            return json_.row(projections::to_json(event, stored.hash));
        return table_.row({
            {std::to_string(event.sequence.value)},
            {core::to_rfc3339(event.at)},
            {names_.of(event.server)},
            {std::string(type_name(event.payload))},
            {projections::to_text(event.actor)},
            event.actual ? status_cell(*event.actual) : Cell{},
            {projections::summarize(event.payload)},
        });
    }

    bool flush() { return (output_ != Output::Table || table_.flush()) && flush_output(); }
    bool end() { return flush() && (output_ == Output::Table || json_.end()); }

  private:
    Output output_;
    Filter filter_;
    Names names_;
    Table table_;
    JsonRows json_;
};

/// Shows what is there: by index when servers were named, else all of it.
core::Result<void>
show_range(eventstore::EventReader const& log, LogView& view, core::Sequence last) {
    if (auto const named = view.note_names(log); !named)
        return named;
    auto const& filter = view.filter();
    auto const visit = [&](auto const& stored) { return view.show(stored); };
    if (filter.servers().is_all())
        return walk(log, filter.first(), last, true, visit);
    return walk_servers(log, filter.servers().ids(), filter.first(), last, visit);
}

/// Shows what is appended until a signal comes or nobody reads on.
core::Result<void>
follow(eventstore::RocksDbReader& log, LogView& view, Watch& changes, core::Sequence shown) {
    bool is_read = true;
    while (is_read && !stop_requested()) {
        auto const refreshed = log.refresh();
        if (!refreshed)
            return refreshed;
        auto const done =
            walk(log, shown.next(), log.head().sequence, false, [&](auto const& stored) {
                shown = stored.event.sequence;
                is_read = view.show(stored);
                return is_read;
            });
        if (!done)
            return done;
        is_read = is_read && view.flush();
        if (is_read)
            changes.wait();
    }
    return {};
}

} // namespace

Outcome show_log(eventstore::RocksDbReader& log, Options const& options) {
    LogView view(options);
    if (auto const resolved = view.resolve(log); !resolved)
        return tl::make_unexpected(resolved.error());

    Watch changes(eventstore::SideFiles(options.data_dir).log); // before reading: misses nothing
    auto const last = std::min(log.head().sequence, view.filter().last());
    auto done = show_range(log, view, last);
    if (done && options.follow && view.flush())
        done = follow(log, view, changes, last);
    view.end();
    if (!done)
        return tl::make_unexpected(done.error());
    return kFine;
}

} // namespace cpm::replay
