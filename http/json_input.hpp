#pragma once

#include "core/result.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cpm::http {

// Reading bodies strictly (HTTP 3.1, 3.5): what a caller meant is never guessed, and nothing it
// wrote is dropped silently.

inline constexpr std::size_t kMaxJsonDepth = 16;

/// A body that is one JSON object: UTF-8, at most 16 levels deep, no key twice in an object. Else
/// Malformed, saying what is wrong.
core::Result<boost::json::object> read_object(std::string_view body);

/// The same where all fields are optional: no body at all is an empty object.
core::Result<boost::json::object> read_optional_object(std::string_view body);

/// Collects the faults of a request's fields, so that one answer names them all.
class Faults {
  public:
    void add(std::string field, std::string message);
    bool empty() const { return faults_.empty(); }
    /// Validation with every fault, or success.
    core::Result<void> result() const;

  private:
    std::vector<core::FieldError> faults_;
};

/// What a null means: in people's bodies it is a value like any other (of the wrong type, where it
/// is not expected); agents say null for what they do not have.
enum class Nulls : std::uint8_t { AreValues, AreAbsent };

/// The fields of one object. Each reader returns what is there and right; what is there and wrong
/// becomes a fault under the field's name, and is told as absent.
class Fields {
  public:
    /// All three must outlive it. `prefix` stands before the names in faults: "wake.".
    Fields(
        boost::json::object const& object,
        Faults& faults,
        Nulls nulls = Nulls::AreValues,
        std::string_view prefix = {}
    );

    /// A fault when it is absent; returns whether it is there.
    bool require(std::string_view name);
    /// Whether it is there as null (which people say to reset it).
    bool is_null(std::string_view name);
    void fault(std::string_view name, std::string message);

    /// Any text of at most `max_bytes` bytes.
    std::optional<std::string> text(std::string_view name, std::size_t max_bytes);
    /// Text of one line: without control characters, too.
    std::optional<std::string> line(std::string_view name, std::size_t max_bytes);
    std::optional<bool> flag(std::string_view name);
    /// A whole number (10, never 10.0) from low to high.
    std::optional<std::uint64_t>
    number(std::string_view name, std::uint64_t low, std::uint64_t high);
    std::optional<std::vector<std::string>> texts(std::string_view name);
    std::optional<std::vector<std::uint64_t>>
    numbers(std::string_view name, std::uint64_t low, std::uint64_t high);
    /// A nested object; null when it is absent.
    boost::json::object const* object(std::string_view name);

    /// Text that `parse` reads (an optional); `expected` completes "must be …".
    template <class Parse>
    auto parsed(std::string_view name, Parse parse, std::string_view expected)
        -> decltype(parse(std::string_view{})) {
        auto const read = text(name, kMaxParsed);
        if (!read)
            return {};
        auto value = parse(std::string_view(*read));
        if (!value)
            fault(name, "must be " + std::string(expected));
        return value;
    }

    /// A fault for each field that none of the readers was asked for: a person's typing error would
    /// be lost silently. (Agents may be newer than the manager: theirs are ignored.)
    void refuse_unknown();

  private:
    static constexpr std::size_t kMaxParsed = 200;

    boost::json::value const* find(std::string_view name);

    boost::json::object const& object_;
    Faults& faults_;
    Nulls nulls_;
    std::string_view prefix_;
    std::vector<std::string_view> known_;
};

/// What `read` makes of the fields of a person's body, or Validation with every fault: those that
/// it found, and each field that it did not ask for.
template <class Read>
auto read_fields(core::Result<boost::json::object> const& object, Read read)
    -> core::Result<decltype(read(std::declval<Fields&>()))> {
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    Fields fields(*object, faults);
    auto value = read(fields);
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return value;
}

} // namespace cpm::http
