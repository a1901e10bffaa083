#include "http/json_input.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace cpm::http {
namespace {

namespace json = boost::json;

json::parse_options strict() {
    json::parse_options options;
    options.max_depth = kMaxJsonDepth;
    return options;
}

/// Looks for a key that stands twice in one object. (A parsed object has lost one of them.)
struct DuplicateFinder {
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

    std::vector<std::set<std::string, std::less<>>> open; ///< the keys of each object we are in
    std::string key;
    std::string duplicate;
    bool found = false;

    using Error = json::error_code;
    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }
    bool on_array_begin(Error&) { return true; }
    bool on_array_end(std::size_t, Error&) { return true; }
    bool on_object_begin(Error&) {
        open.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, Error&) {
        open.pop_back();
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, Error&) {
        key += part;
        return true;
    }
    bool on_key(json::string_view rest, std::size_t, Error& error) {
        key += rest;
        if (open.back().insert(key).second) {
            key.clear();
            return true;
        }
        found = true;
        duplicate = key;
        error = json::make_error_code(json::error::syntax);
        return false;
    }
    bool on_string_part(json::string_view, std::size_t, Error&) { return true; }
    bool on_string(json::string_view, std::size_t, Error&) { return true; }
    bool on_number_part(json::string_view, Error&) { return true; }
    bool on_int64(std::int64_t, json::string_view, Error&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, Error&) { return true; }
    bool on_double(double, json::string_view, Error&) { return true; }
    bool on_bool(bool, Error&) { return true; }
    bool on_null(Error&) { return true; }
    bool on_comment_part(json::string_view, Error&) { return true; }
    bool on_comment(json::string_view, Error&) { return true; }
};

/// The faults only a look at the text itself shows: duplicate keys.
core::Result<void> check_text(std::string_view body) {
    json::basic_parser<DuplicateFinder> parser(strict());
    json::error_code error;
    parser.write_some(false, body.data(), body.size(), error);
    if (parser.handler().found)
        return core::fail(
            core::ErrorCode::Malformed,
            fmt::format(
                "the body has the key \"{}\" twice in one object", parser.handler().duplicate
            )
        );
    return {};
}

bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

std::optional<std::uint64_t> whole(json::value const& value) {
    if (auto const* number = value.if_uint64())
        return *number;
    if (auto const* number = value.if_int64(); number && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    return std::nullopt;
}

/// A list whose items `read` (to an optional) reads all.
template <class Read>
auto read_items(json::value const& value, Read read)
    -> std::optional<std::vector<typename decltype(read(value))::value_type>> {
    auto const* array = value.if_array();
    if (!array)
        return std::nullopt;
    std::vector<typename decltype(read(value))::value_type> all;
    for (auto const& item : *array) {
        auto one = read(item);
        if (!one)
            return std::nullopt;
        all.push_back(std::move(*one));
    }
    return all;
}

std::string range_text(std::uint64_t low, std::uint64_t high) {
    return fmt::format("must be a whole number from {} to {}", low, high);
}

} // namespace

core::Result<json::object> read_object(std::string_view body) {
    if (body.empty())
        return core::fail(
            core::ErrorCode::Malformed, "the body is empty: send a JSON object with its length"
        );
    if (auto fine = check_text(body); !fine)
        return tl::make_unexpected(fine.error());
    json::error_code error;
    auto value = json::parse(body, error, {}, strict());
    if (error == json::error::too_deep)
        return core::fail(
            core::ErrorCode::Malformed,
            fmt::format("the body is nested more than {} levels deep", kMaxJsonDepth)
        );
    if (error)
        return core::fail(
            core::ErrorCode::Malformed,
            fmt::format("the body is not JSON in UTF-8: {}", error.message())
        );
    if (!value.is_object())
        return core::fail(core::ErrorCode::Malformed, "the body must be a JSON object: {…}");
    return std::move(value.get_object());
}

core::Result<json::object> read_optional_object(std::string_view body) {
    if (body.empty())
        return json::object{};
    return read_object(body);
}

void Faults::add(std::string field, std::string message) {
    faults_.push_back({std::move(field), std::move(message)});
}

core::Result<void> Faults::result() const {
    if (faults_.empty())
        return {};
    return tl::make_unexpected(core::Error{
        .code = core::ErrorCode::Validation,
        .detail = faults_.front().field + ": " + faults_.front().message,
        .fields = faults_,
    });
}

Fields::Fields(json::object const& object, Faults& faults, Nulls nulls, std::string_view prefix)
    : object_(object)
    , faults_(faults)
    , nulls_(nulls)
    , prefix_(prefix) {}

json::value const* Fields::find(std::string_view name) {
    known_.push_back(name);
    auto const* value = object_.if_contains(name);
    if (value && value->is_null() && nulls_ == Nulls::AreAbsent)
        return nullptr;
    return value;
}

bool Fields::require(std::string_view name) {
    if (find(name))
        return true;
    fault(name, "is required");
    return false;
}

bool Fields::is_null(std::string_view name) {
    auto const* value = find(name);
    return value && value->is_null();
}

void Fields::fault(std::string_view name, std::string message) {
    faults_.add(std::string(prefix_) + std::string(name), std::move(message));
}

std::optional<std::string> Fields::text(std::string_view name, std::size_t max_bytes) {
    auto const* value = find(name);
    if (!value)
        return std::nullopt;
    auto const* string = value->if_string();
    if (!string)
        fault(name, "must be text");
    else if (string->size() > max_bytes)
        fault(name, fmt::format("must be at most {} bytes long", max_bytes));
    else
        return std::string(*string);
    return std::nullopt;
}

std::optional<std::string> Fields::line(std::string_view name, std::size_t max_bytes) {
    auto read = text(name, max_bytes);
    if (read && std::ranges::any_of(*read, is_control)) {
        fault(name, "must not contain control characters");
        return std::nullopt;
    }
    return read;
}

std::optional<bool> Fields::flag(std::string_view name) {
    auto const* value = find(name);
    if (!value)
        return std::nullopt;
    if (auto const* flag = value->if_bool())
        return *flag;
    fault(name, "must be true or false");
    return std::nullopt;
}

std::optional<std::uint64_t>
Fields::number(std::string_view name, std::uint64_t low, std::uint64_t high) {
    auto const* value = find(name);
    if (!value)
        return std::nullopt;
    auto const read = whole(*value);
    if (read && *read >= low && *read <= high)
        return read;
    fault(name, range_text(low, high));
    return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view name) {
    auto const* value = find(name);
    if (!value)
        return std::nullopt;
    auto all = read_items(*value, [](json::value const& item) {
        auto const* string = item.if_string();
        return string ? std::optional(std::string(*string)) : std::nullopt;
    });
    if (!all)
        fault(name, "must be a list of texts");
    return all;
}

std::optional<std::vector<std::uint64_t>>
Fields::numbers(std::string_view name, std::uint64_t low, std::uint64_t high) {
    auto const* value = find(name);
    if (!value)
        return std::nullopt;
    auto all = read_items(*value, [&](json::value const& item) {
        auto const number = whole(item);
        return number && *number >= low && *number <= high ? number : std::nullopt;
    });
    if (!all)
        fault(name, "must be a list; each item " + range_text(low, high));
    return all;
}

json::object const* Fields::object(std::string_view name) {
    auto const* value = find(name);
    if (!value)
        return nullptr;
    if (auto const* object = value->if_object())
        return object;
    fault(name, "must be an object");
    return nullptr;
}

void Fields::refuse_unknown() {
    for (auto const& item : object_)
        if (std::ranges::find(known_, std::string_view(item.key())) == known_.end())
            fault(item.key(), "is not a field of this request");
}

} // namespace cpm::http
