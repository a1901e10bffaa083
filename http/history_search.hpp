#pragma once

#include "core/result.hpp"
#include "eventstore/event_log.hpp"
#include "http/query_input.hpp"
#include "projections/server_history.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cpm::http {

/// Which transitions of a server somebody wants to see: newest first.
struct HistoryQuery {
    core::ServerId server;
    core::Sequence before; ///< those made by earlier decisions; none: to the head
    std::size_t limit = Page::kDefault;
};

/// Reads ?limit= and cursor.
core::Result<HistoryQuery> read_history_query(Request const& request, core::ServerId server);

/// Folds one server's events, found by index, into a page of its transitions. The rest of the log
/// is not read.
///
/// Operation: step() folds some of the events, so that the caller's thread can do other things in
/// between. All of the server's events before the page are needed: what a status follows from
/// began there.
class HistorySearch {
  public:
    static constexpr std::size_t kAtOnce = 512;

    /// `log` and `common` (the events that concern all servers, ascending) must outlive it.
    HistorySearch(
        eventstore::EventReader const& log,
        std::vector<core::Event> const& common,
        HistoryQuery const& query
    );

    bool is_done() const { return next_ > last_; }
    core::Result<void> step();

    /// At the end: the page.
    boost::json::array items() const;
    std::optional<std::string> next_cursor() const;

  private:
    void add_common(core::Sequence before);

    eventstore::EventReader const& log_;
    std::vector<core::Event> const& common_;
    HistoryQuery query_;
    core::Sequence next_{1};
    core::Sequence last_;
    std::size_t common_taken_ = 0;
    projections::ServerHistory history_; ///< one more than the page shows: whether there is a next
};

} // namespace cpm::http
