// The bytes of a snapshot: whatever goes in comes back, and too few or too many bytes are noticed.
#include "projections/packer.hpp"
#include "projections/unpacker.hpp"

#include <boost/container/static_vector.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

using namespace cpm::projections::packing;
using namespace std::chrono_literals;

namespace {

enum class Colour : std::uint8_t { Red, Green };

struct Inner {
    std::uint16_t number = 0;
    bool yes = false;
    bool operator==(Inner const&) const = default;
};

struct Everything {
    std::int64_t number = 0;
    Colour colour{};
    std::string text;
    std::chrono::seconds duration{};
    std::chrono::sys_time<std::chrono::microseconds> time{};
    std::array<std::uint8_t, 3> array{};
    std::optional<Inner> none;
    std::optional<Inner> some;
    std::variant<Inner, std::string> either;
    std::vector<std::string> list;
    std::deque<Inner> queue;
    boost::container::static_vector<Inner, 2> few;
    std::map<std::string, Inner, std::less<>> map;
    std::unordered_map<std::string, std::uint32_t> hashed;
    std::unordered_set<std::string> set;
    std::pair<std::string, bool> pair;
    bool operator==(Everything const&) const = default;
};

Everything everything() {
    return {
        -5,
        Colour::Green,
        std::string("text\0with zero", 14),
        301s,
        std::chrono::sys_time<std::chrono::microseconds>(1789000000000010us),
        {1, 2, 3},
        std::nullopt,
        Inner{7, true},
        "alternative",
        {"a", "", "c"},
        {{1, false}, {2, true}},
        {{3, true}, {4, false}},
        {{"k", {5, true}}, {"l", {6, false}}},
        {{"one", 1}, {"two", 2}, {"three", 3}},
        {"x", "y", "z"},
        {"p", true},
    };
}

template <class T>
std::string packed(T const& value) {
    Packer packer;
    packer(value);
    return packer.take();
}

template <class T>
std::optional<T> unpacked(std::string_view bytes) {
    Unpacker unpacker(bytes);
    std::optional<T> value(std::in_place);
    unpacker(*value);
    return unpacker.done() ? value : std::nullopt;
}

} // namespace

TEST_CASE("packing: every kind of value comes back as it was (2.3)") {
    auto const value = everything();
    CHECK(unpacked<Everything>(packed(value)) == value);
    CHECK(unpacked<Everything>(packed(Everything{})) == Everything{});
}

TEST_CASE(
    "packing: the same value gives the same bytes, whatever order it was put together in (2.3)"
) {
    auto one = everything();
    auto other = everything();
    for (auto* const value : {&one, &other}) {
        value->hashed.clear();
        value->set.clear();
    }
    for (int i = 0; i < 100; ++i) {
        one.hashed[std::to_string(i)] = std::uint32_t(i);
        other.hashed[std::to_string(99 - i)] = std::uint32_t(99 - i);
        one.set.insert(std::to_string(i));
        other.set.insert(std::to_string(99 - i));
    }
    CHECK(packed(one) == packed(other));
}

TEST_CASE("packing: bytes that were cut, or are too many, are none (2.3)") {
    auto const bytes = packed(everything());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(unpacked<Everything>(std::string_view(bytes).substr(0, size)));
    CHECK_FALSE(unpacked<Everything>(bytes + '\0'));
}

TEST_CASE("packing: counts that cannot be are refused before memory is taken (2.3)") {
    using Many = std::vector<std::string>;
    CHECK_FALSE(unpacked<Many>(std::string(8, '\xff')));
    CHECK_FALSE(unpacked<std::string>(std::string(8, '\xff')));
    using Three = std::vector<Inner>;
    using Two = boost::container::static_vector<Inner, 2>;
    CHECK(unpacked<Two>(packed(Three(2))));
    CHECK_FALSE(unpacked<Two>(packed(Three(3))));
    CHECK_FALSE((unpacked<std::variant<Inner, std::string>>(std::string("\x02\x00", 2))));
}
