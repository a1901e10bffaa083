#include "http/message.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string_view> find(Pairs const& pairs, std::string_view name) {
    auto const found = std::ranges::find(pairs, name, &Pairs::value_type::first);
    if (found == pairs.end())
        return std::nullopt;
    return found->second;
}

} // namespace

std::optional<std::string_view> Request::header(std::string_view lower_case_name) const {
    return find(headers, lower_case_name);
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
    return find(query, name);
}

} // namespace cpm::http
