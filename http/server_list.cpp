#include "http/server_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cpm::http {
namespace {

std::string_view to_string(SortKey key) {
    switch (key) {
    case SortKey::Name: return "name";
    case SortKey::Status: return "status";
    case SortKey::ChangedAt: return "changed_at";
    case SortKey::LastHeartbeatAt: return "last_heartbeat_at";
    }
    return "";
}

std::optional<std::pair<SortKey, bool>> parse_sort(std::string_view text) {
    bool const descending = text.starts_with('-');
    if (descending)
        text.remove_prefix(1);
    for (auto key : {SortKey::Name, SortKey::Status, SortKey::ChangedAt, SortKey::LastHeartbeatAt})
        if (to_string(key) == text)
            return std::pair(key, descending);
    return std::nullopt;
}

std::optional<std::vector<core::ActualStatus>> parse_statuses(std::string_view text) {
    std::vector<core::ActualStatus> statuses;
    while (true) {
        auto const comma = text.find(',');
        auto const status = core::parse_actual_status(text.substr(0, comma));
        if (!status)
            return std::nullopt;
        statuses.push_back(*status);
        if (comma == std::string_view::npos)
            return statuses;
        text.remove_prefix(comma + 1);
    }
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains(std::string_view text, std::string_view part) {
    auto const same = [](char a, char b) { return lower(a) == lower(b); };
    return std::ranges::search(text, part, same).begin() != text.end() || part.empty();
}

bool mentions(core::Server const& server, std::string_view part) {
    auto const in = [&](std::string_view text) { return contains(text, part); };
    auto const in_mac = [&](core::MacAddress const& mac) { return in(core::to_string(mac)); };
    auto const& config = server.config;
    return in(config.name) || in(config.note) || in(server.agent.hostname) ||
           in(server.agent.address) || in(core::to_string(server.id)) ||
           std::ranges::any_of(config.tags, in) ||
           std::ranges::any_of(config.mac_addresses, in_mac);
}

bool is_wanted(core::Server const& server, ServerQuery const& query) {
    auto const reads_the_same = [&](core::ActualStatus status) {
        return status == server.state.actual ||
               core::to_string(status) == core::display_name(server.state.actual);
    };
    if (!query.statuses.empty() && std::ranges::none_of(query.statuses, reads_the_same))
        return false;
    auto const& tags = server.config.tags;
    if (!query.tag.empty() && std::ranges::find(tags, query.tag) == tags.end())
        return false;
    return mentions(server, query.text);
}

/// Text that sorts like the value it is made of.
std::string key_of(core::Server const& server, SortKey sort) {
    switch (sort) {
    case SortKey::Name: return server.config.name;
    case SortKey::Status: return std::string(core::display_name(server.state.actual));
    case SortKey::ChangedAt:
        return fmt::format("{:020}", server.changed_at.time_since_epoch().count());
    case SortKey::LastHeartbeatAt: {
        auto const never = core::WallTime{};
        auto const at = server.last_heartbeat_at.value_or(never);
        return fmt::format("{:020}", at.time_since_epoch().count());
    }
    }
    return {};
}

/// A place in the list: the sort key, and the id where keys are the same.
using Place = std::pair<std::string, std::uint64_t>;

std::string order_word(ServerQuery const& query) {
    return fmt::format("{}{}", query.descending ? "-" : "", to_string(query.sort));
}

std::string write_place(ServerQuery const& query, Place const& place) {
    return fmt::format(
        "{}\n{}\n{}", order_word(query), core::to_string(core::ServerId{place.second}), place.first
    );
}

std::optional<Place> read_place(ServerQuery const& query, std::string_view text) {
    auto const order = order_word(query) + "\n";
    if (!text.starts_with(order))
        return std::nullopt;
    text.remove_prefix(order.size());
    auto const end = text.find('\n');
    auto const id = core::parse_server_id(text.substr(0, end));
    if (!id || end == std::string_view::npos)
        return std::nullopt;
    return Place(std::string(text.substr(end + 1)), id->value);
}

} // namespace

core::Result<ServerQuery> read_server_query(Request const& request) {
    Faults faults;
    QueryFields fields(request, faults);
    ServerQuery query;
    if (auto statuses =
            fields.parsed("status", parse_statuses, "actual statuses, as in ON,Crashed"))
        query.statuses = std::move(*statuses);
    query.tag = fields.text("tag").value_or("");
    query.text = fields.text("q").value_or("");
    if (auto const sort = fields.parsed(
            "sort",
            parse_sort,
            "name, status, changed_at or last_heartbeat_at, with - before it for the reverse"
        ))
        std::tie(query.sort, query.descending) = *sort;
    query.page = read_page(fields, faults);
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return query;
}

core::Result<ServerPage> find_servers(core::Fleet const& fleet, ServerQuery const& query) {
    std::optional<Place> after;
    if (query.page.after) {
        after = read_place(query, *query.page.after);
        if (!after)
            return core::invalid("cursor", "is of another sort: begin without it");
    }
    auto const comes_before = [&](Place const& a, Place const& b) {
        return query.descending ? b < a : a < b;
    };
    std::vector<std::pair<Place, core::Server const*>> found;
    for (auto const& [id, server] : fleet.servers) {
        if (!is_wanted(server, query))
            continue;
        Place place(key_of(server, query.sort), id.value);
        if (!after || comes_before(*after, place))
            found.emplace_back(std::move(place), &server);
    }
    auto const shown = std::min(found.size(), query.page.limit);
    auto const middle = found.begin() + static_cast<std::ptrdiff_t>(shown);
    std::ranges::partial_sort(found, middle, comes_before, [](auto const& item) -> Place const& {
        return item.first;
    });
    ServerPage page;
    for (auto it = found.begin(); it != middle; ++it)
        page.servers.push_back(it->second);
    if (shown < found.size())
        page.next_cursor = make_cursor(write_place(query, std::prev(middle)->first));
    return page;
}

} // namespace cpm::http
