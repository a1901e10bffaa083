#include "http/history_search.hpp"

#include "projections/explanation_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cpm::http {

core::Result<HistoryQuery> read_history_query(Request const& request, core::ServerId server) {
    Faults faults;
    QueryFields fields(request, faults);
    auto const page = read_page(fields, faults);
    HistoryQuery query{.server = server, .before = {}, .limit = page.limit};
    if (page.after) {
        auto const* const last = page.after->data() + page.after->size();
        auto const [end, error] = std::from_chars(page.after->data(), last, query.before.value);
        if (error != std::errc{} || end != last || !query.before)
            faults.add("cursor", "must be the next_cursor of the page before");
    }
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return query;
}

HistorySearch::HistorySearch(
    eventstore::EventReader const& log,
    std::vector<core::Event> const& common,
    HistoryQuery const& query
)
    : log_(log)
    , common_(common)
    , query_(query)
    , last_(log.head().sequence)
    , history_(query.limit + 1) {
    if (query.before)
        last_ = std::min(last_, core::Sequence{query.before.value - 1});
}

void HistorySearch::add_common(core::Sequence before) {
    for (; common_taken_ < common_.size(); ++common_taken_) {
        auto const& event = common_[common_taken_];
        if (event.sequence >= before)
            return;
        history_.add(event);
    }
}

core::Result<void> HistorySearch::step() {
    std::size_t taken = 0;
    auto const visit = [&](eventstore::StoredEvent const& stored) {
        add_common(stored.event.sequence);
        history_.add(stored.event);
        next_ = stored.event.sequence.next();
        return ++taken < kAtOnce;
    };
    if (auto const read = log_.read_server(query_.server, next_, last_, visit); !read)
        return read;
    if (taken == kAtOnce)
        return {};
    add_common(last_.next());
    history_.end();
    next_ = last_.next();
    return {};
}

boost::json::array HistorySearch::items() const {
    auto const& all = history_.transitions();
    boost::json::array items;
    for (auto it = all.rbegin(); it != all.rend() && items.size() < query_.limit; ++it)
        items.push_back(projections::to_json(*it));
    return items;
}

std::optional<std::string> HistorySearch::next_cursor() const {
    auto const& all = history_.transitions();
    if (all.size() <= query_.limit)
        return std::nullopt;
    return make_cursor(fmt::format("{}", all[all.size() - query_.limit].decision.value));
}

} // namespace cpm::http
