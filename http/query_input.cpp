#include "http/query_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sodium.h>

namespace cpm::http {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kMaxCursor = 1024;

std::optional<std::string> read_cursor(std::string_view text) {
    if (text.size() > kMaxCursor)
        return std::nullopt;
    std::string place(text.size(), '\0');
    std::size_t size = 0;
    auto* bytes = reinterpret_cast<unsigned char*>(place.data());
    if (sodium_base642bin(
            bytes, place.size(), text.data(), text.size(), nullptr, &size, nullptr, kVariant
        ) != 0)
        return std::nullopt;
    place.resize(size);
    return place;
}

} // namespace

QueryFields::QueryFields(Request const& request, Faults& faults)
    : request_(request)
    , faults_(faults) {}

std::optional<std::string_view> QueryFields::text(std::string_view name) {
    known_.push_back(name);
    std::optional<std::string_view> found;
    for (auto const& [key, value] : request_.query) {
        if (key != name)
            continue;
        if (found) {
            faults_.add(std::string(name), "is there twice");
            return std::nullopt;
        }
        found = value;
    }
    return found;
}

std::optional<std::uint64_t>
QueryFields::number(std::string_view name, std::uint64_t low, std::uint64_t high) {
    auto const read = text(name);
    if (!read)
        return std::nullopt;
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(read->data(), read->data() + read->size(), value);
    if (error == std::errc{} && end == read->data() + read->size() && value >= low && value <= high)
        return value;
    faults_.add(std::string(name), fmt::format("must be a whole number from {} to {}", low, high));
    return std::nullopt;
}

std::optional<bool> QueryFields::flag(std::string_view name) {
    auto const read = text(name);
    if (!read)
        return std::nullopt;
    if (*read == "true" || *read == "false")
        return *read == "true";
    faults_.add(std::string(name), "must be true or false");
    return std::nullopt;
}

void QueryFields::refuse_unknown() {
    for (auto const& [key, value] : request_.query)
        if (std::ranges::find(known_, std::string_view(key)) == known_.end())
            faults_.add(key, "is not a parameter of this request");
}

Page read_page(QueryFields& query, Faults& faults) {
    Page page;
    if (auto const limit = query.number("limit", 1, Page::kMost))
        page.limit = static_cast<std::size_t>(*limit);
    if (auto const cursor = query.text("cursor")) {
        page.after = read_cursor(*cursor);
        if (!page.after)
            faults.add("cursor", "must be the next_cursor of the page before");
    }
    return page;
}

core::Result<Page> read_page_alone(Request const& request) {
    Faults faults;
    QueryFields query(request, faults);
    auto page = read_page(query, faults);
    query.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return page;
}

std::string make_cursor(std::string_view place) {
    std::string text(sodium_base64_encoded_len(place.size(), kVariant), '\0');
    auto const* bytes = reinterpret_cast<unsigned char const*>(place.data());
    sodium_bin2base64(text.data(), text.size(), bytes, place.size(), kVariant);
    text.resize(text.size() - 1); // the terminator
    return text;
}

} // namespace cpm::http
