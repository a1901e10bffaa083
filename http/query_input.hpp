#pragma once

#include "http/json_input.hpp"
#include "http/message.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::http {

/// The parameters of a request's query, read as strictly as a body (json_input.hpp).
class QueryFields {
  public:
    /// Both must outlive it.
    QueryFields(Request const& request, Faults& faults);

    /// Its value; an empty one is there. A parameter that stands twice is a fault.
    std::optional<std::string_view> text(std::string_view name);
    std::optional<std::uint64_t>
    number(std::string_view name, std::uint64_t low, std::uint64_t high);
    std::optional<bool> flag(std::string_view name);

    /// Text that `parse` reads (an optional); `expected` completes "must be …".
    template <class Parse>
    auto parsed(std::string_view name, Parse parse, std::string_view expected)
        -> decltype(parse(std::string_view{})) {
        auto const read = text(name);
        if (!read)
            return {};
        auto value = parse(*read);
        if (!value)
            faults_.add(std::string(name), "must be " + std::string(expected));
        return value;
    }

    /// A fault for each parameter that none of the readers was asked for.
    void refuse_unknown();

  private:
    Request const& request_;
    Faults& faults_;
    std::vector<std::string_view> known_;
};

/// What is common to all lists (HTTP 3.1).
struct Page {
    static constexpr std::size_t kDefault = 100;
    static constexpr std::size_t kMost = 1000;
    std::size_t limit = kDefault;
    /// Where the page before ended, as whoever made the cursor wrote it; none: the first page.
    std::optional<std::string> after{};
};

/// Reads `limit` and `cursor`.
Page read_page(QueryFields& query, Faults& faults);

/// The same of a list that takes no other parameter.
core::Result<Page> read_page_alone(Request const& request);

/// An opaque cursor that read_page() turns back into `place`.
std::string make_cursor(std::string_view place);

/// One page of a map's values, as `to_json` writes them; a place is the last key shown.
template <class Map, class ToJson>
boost::json::object page_of(Map const& all, Page const& page, ToJson to_json) {
    boost::json::array items;
    auto it = page.after ? all.upper_bound(*page.after) : all.begin();
    for (; it != all.end() && items.size() < page.limit; ++it)
        items.push_back(to_json(it->second));
    boost::json::value next;
    if (it != all.end())
        next = make_cursor(std::prev(it)->first);
    return {{"items", std::move(items)}, {"next_cursor", std::move(next)}};
}

} // namespace cpm::http
