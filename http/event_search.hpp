#pragma once

#include "core/event.hpp"
#include "core/result.hpp"
#include "eventstore/event_log.hpp"
#include "http/query_input.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

/// Which events somebody wants to see (HTTP 3.2).
struct EventQuery {
    core::ServerId server; ///< none: of all, and those about no server
    std::optional<core::Family> family{};
    std::string_view type{}; ///< empty: all
    core::Sequence after;    ///< above this one; none: from the first
    core::Sequence before;   ///< below this one; none: to the head
    bool descending = false;
    std::size_t limit = Page::kDefault;
};

/// Reads ?server=, family, type, after, before, limit and cursor. With `before` alone the events
/// come newest first, else oldest first.
core::Result<EventQuery> read_event_query(Request const& request);

/// Looks through the log for one page of events.
///
/// Operation: step() looks through one window of sequence numbers, so that the caller's thread can
/// do other things in between; after kMaxWindows the page ends as it is. So a page may hold fewer
/// events than asked for, even none, and still have a next one.
class EventSearch {
  public:
    static constexpr std::uint64_t kWindow = 1024;
    /// A window grows to this while the index of one server finds little in it.
    static constexpr std::uint64_t kWideWindow = 65536;
    static constexpr int kMaxWindows = 64;

    /// `log` must outlive it.
    EventSearch(eventstore::EventReader const& log, EventQuery const& query);

    bool is_done() const { return done_; }
    core::Result<void> step();

    /// What was found, in the order asked for; call it once, at the end.
    boost::json::array take_items() { return std::move(items_); }
    /// Where the next page begins; none at the end of the range.
    std::optional<std::string> next_cursor() const;

  private:
    struct Window;

    bool is_wanted(core::Event const& event) const;
    core::Result<void> read(Window& window) const;

    eventstore::EventReader const& log_;
    EventQuery query_;
    std::uint64_t first_; ///< what is still to be looked through: first_ <= sequence <= last_
    std::uint64_t last_;
    std::uint64_t size_ = kWindow; ///< of the next window
    int windows_ = 0;
    bool done_ = false;
    boost::json::array items_;
};

} // namespace cpm::http
