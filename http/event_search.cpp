#include "http/event_search.hpp"

#include "projections/event_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>
#include <utility>

namespace cpm::http {
namespace {

constexpr std::uint64_t kAnySequence = std::numeric_limits<std::uint64_t>::max();

std::optional<std::string_view> parse_type(std::string_view text) {
    auto const names = core::type_names();
    auto const it = std::ranges::find(names, text);
    return it == names.end() ? std::nullopt : std::optional(*it);
}

/// "after 17" or "before 17".
std::optional<std::uint64_t> read_place(bool descending, std::string_view place) {
    std::string_view const word = descending ? "before " : "after ";
    if (!place.starts_with(word))
        return std::nullopt;
    place.remove_prefix(word.size());
    std::uint64_t value = 0;
    auto const* const last = place.data() + place.size();
    auto const [end, error] = std::from_chars(place.data(), last, value);
    return error == std::errc{} && end == last ? std::optional(value) : std::nullopt;
}

void go_on_from(EventQuery& query, std::string_view place, Faults& faults) {
    if (auto const sequence = read_place(query.descending, place))
        (query.descending ? query.before : query.after) = {*sequence};
    else
        faults.add("cursor", "is of another order: begin without it");
}

} // namespace

core::Result<EventQuery> read_event_query(Request const& request) {
    Faults faults;
    QueryFields fields(request, faults);
    EventQuery query;
    query.server =
        fields.parsed("server", core::parse_server_id, "a server's id").value_or(core::ServerId{});
    query.family =
        fields.parsed("family", core::parse_family, "fleet, power, heartbeats, people or process");
    query.type = fields.parsed("type", parse_type, "an event type like PowerRequested")
                     .value_or(std::string_view{});
    auto const after = fields.number("after", 0, kAnySequence);
    auto const before = fields.number("before", 1, kAnySequence);
    query.after = {after.value_or(0)};
    query.before = {before.value_or(0)};
    query.descending = before && !after;
    auto const page = read_page(fields, faults);
    query.limit = page.limit;
    if (page.after)
        go_on_from(query, *page.after, faults);
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return query;
}

/// A part of the range, and what was found in it.
struct EventSearch::Window {
    std::uint64_t low;
    std::uint64_t high;
    std::size_t room; ///< what the page still holds
    std::uint64_t looked_at = 0;
    std::deque<std::pair<core::Event, core::Hash>> found{}; ///< in the order asked for
    bool has_more = false;                                  ///< than there is room for
};

EventSearch::EventSearch(eventstore::EventReader const& log, EventQuery const& query)
    : log_(log)
    , query_(query)
    , first_(query.after.value == kAnySequence ? kAnySequence : query.after.value + 1)
    , last_(log.head().sequence.value) {
    if (query.before)
        last_ = std::min(last_, query.before.value - 1);
    done_ = first_ > last_;
}

bool EventSearch::is_wanted(core::Event const& event) const {
    return (!query_.family || core::family_of(event.payload) == *query_.family) &&
           (query_.type.empty() || core::type_name(event.payload) == query_.type);
}

core::Result<void> EventSearch::read(Window& window) const {
    // The index of a server is read upwards only: of the newest ones the last must be kept.
    bool const keep_last = query_.server && query_.descending;
    eventstore::EventVisitor const visit = [&](eventstore::StoredEvent const& stored) {
        ++window.looked_at;
        if (!is_wanted(stored.event))
            return true;
        if (window.found.size() == window.room) {
            window.has_more = true;
            if (!keep_last)
                return false;
            window.found.pop_front();
        }
        window.found.emplace_back(stored.event, stored.hash);
        return true;
    };
    core::Sequence const low{window.low};
    core::Sequence const high{window.high};
    auto const result = query_.server       ? log_.read_server(query_.server, low, high, visit)
                        : query_.descending ? log_.read_back(low, high, visit)
                                            : log_.read(low, high, visit);
    if (keep_last)
        std::ranges::reverse(window.found);
    return result;
}

core::Result<void> EventSearch::step() {
    auto const size = std::min(size_, last_ - first_ + 1);
    Window window{
        .low = query_.descending ? last_ - size + 1 : first_,
        .high = query_.descending ? last_ : first_ + size - 1,
        .room = query_.limit - items_.size(),
    };
    if (auto const result = read(window); !result)
        return tl::make_unexpected(result.error());
    for (auto const& [event, hash] : window.found)
        items_.push_back(projections::to_json(event, hash));
    if (query_.descending)
        last_ = (window.has_more ? window.found.back().first.sequence.value : window.low) - 1;
    else
        first_ = (window.has_more ? window.found.back().first.sequence.value : window.high) + 1;
    size_ = window.looked_at * 2 < kWindow ? std::min(size_ * 2, kWideWindow) : kWindow;
    done_ = items_.size() == query_.limit || first_ > last_ || ++windows_ == kMaxWindows;
    return {};
}

std::optional<std::string> EventSearch::next_cursor() const {
    if (first_ > last_)
        return std::nullopt;
    return make_cursor(
        query_.descending ? fmt::format("before {}", last_ + 1)
                          : fmt::format("after {}", first_ - 1)
    );
}

} // namespace cpm::http
