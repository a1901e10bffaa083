// Values as bytes and back: what a snapshot holds.
//
// No field is listed by hand, so none can be forgotten: an aggregate is taken apart by Boost.PFR,
// and a class names its members in a structured binding, which does not compile when one is
// missing. The same value always gives the same bytes: what has no order of its own is sorted.
//
// The bytes name no field and no version. Whoever keeps them keeps fold_code() with them, and reads
// them only where that is the same.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace cpm::projections::packing {

static_assert(std::endian::native == std::endian::little, "numbers are packed as they are");

// The kinds of types; whatever is none of them is an aggregate.

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <class T>
concept Text = std::same_as<T, std::string>;

/// A class that names its members itself.
template <class T>
concept HasFields = requires(T& value, void (*archive)(...)) {
    T::fields(archive, value);
};

template <class T>
concept Optional = requires(T& value) {
    value.has_value();
    value.reset();
};

template <class T>
concept Map = requires {
    typename T::mapped_type;
};

template <class T>
concept Set = requires {
    typename T::key_type;
}
&&!Map<T>;

template <class T>
concept List = requires(T& value) {
    value.emplace_back();
    value.begin();
}
&&!Text<T>;

template <class T>
inline constexpr bool kIsDuration = false;
template <class Rep, class Period>
inline constexpr bool kIsDuration<std::chrono::duration<Rep, Period>> = true;

template <class T>
inline constexpr bool kIsTimePoint = false;
template <class Clock, class Duration>
inline constexpr bool kIsTimePoint<std::chrono::time_point<Clock, Duration>> = true;

template <class T>
inline constexpr bool kIsArray = false;
template <class T, std::size_t N>
inline constexpr bool kIsArray<std::array<T, N>> = true;

template <class T>
inline constexpr bool kIsPair = false;
template <class A, class B>
inline constexpr bool kIsPair<std::pair<A, B>> = true;

template <class T>
inline constexpr bool kIsVariant = false;
template <class... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;

template <class T>
inline constexpr bool kIsShared = false;
template <class T>
inline constexpr bool kIsShared<std::shared_ptr<T>> = true;

} // namespace cpm::projections::packing
