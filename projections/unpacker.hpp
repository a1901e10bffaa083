#pragma once

#include "projections/packing.hpp"

#include <boost/pfr/core.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

namespace cpm::projections::packing {

/// Reads them back in the same order. Bytes that are too few leave values half read, and done()
/// says so.
class Unpacker {
  public:
    explicit Unpacker(std::string_view bytes)
        : rest_(bytes) {}

    template <class... T>
    void operator()(T&... values) {
        (get(values), ...);
    }

    /// Whether every byte was there, and none was left over.
    bool done() const { return !failed_ && rest_.empty(); }

  private:
    void raw(void* data, std::size_t size) {
        if (size > rest_.size())
            return fail();
        if (size > 0) // of nothing there may be no address
            std::memcpy(data, rest_.data(), size);
        rest_.remove_prefix(size);
    }
    void fail() {
        failed_ = true;
        rest_ = {};
    }
    /// Of things that take a byte each at least.
    std::size_t count() {
        std::uint64_t size = 0;
        get(size);
        if (size > rest_.size()) {
            fail();
            return 0;
        }
        return std::size_t(size);
    }

    template <class T>
    void get(T& value) {
        if constexpr (std::same_as<T, bool>) {
            std::uint8_t byte = 0;
            raw(&byte, 1);
            value = byte != 0;
        } else if constexpr (Number<T>)
            raw(&value, sizeof value);
        else if constexpr (Text<T>) {
            value.resize(count());
            raw(value.data(), value.size());
        } else if constexpr (kIsDuration<T>) {
            typename T::rep ticks{};
            get(ticks);
            value = T(ticks);
        } else if constexpr (kIsTimePoint<T>) {
            typename T::duration since{};
            get(since);
            value = T(since);
        } else if constexpr (kIsArray<T>)
            for (auto& one : value)
                get(one);
        else if constexpr (kIsPair<T>) {
            get(value.first);
            get(value.second);
        } else if constexpr (kIsVariant<T>)
            get_variant(value);
        else if constexpr (kIsShared<T>) {
            value = std::make_shared<typename T::element_type>();
            get(*value);
        } else if constexpr (Optional<T>) {
            bool there = false;
            get(there);
            value.reset();
            if (there) // clang 14 does not emplace what is nested in a class and has initializers
                get(*(value = typename T::value_type{}));
        } else if constexpr (Map<T> || Set<T>)
            get_entries(value);
        else if constexpr (List<T>)
            get_list(value);
        else if constexpr (HasFields<T>)
            T::fields(*this, value);
        else
            boost::pfr::for_each_field(value, [this](auto& field) { this->get(field); });
    }

    template <class T>
    void get_list(T& list) {
        list.clear();
        auto const size = count();
        if constexpr (requires { T::static_capacity; })
            if (size > T::static_capacity)
                return fail();
        for (std::size_t i = 0; i < size && !failed_; ++i)
            get(list.emplace_back());
    }

    template <class T>
    void get_entries(T& entries) {
        entries.clear();
        auto const size = count();
        for (std::size_t i = 0; i < size && !failed_; ++i) {
            typename T::key_type key{};
            get(key);
            if constexpr (Map<T>)
                get(entries[std::move(key)]);
            else
                entries.insert(std::move(key));
        }
    }

    template <class... T>
    void get_variant(std::variant<T...>& value) {
        std::uint16_t index = 0;
        get(index);
        std::size_t i = 0;
        bool const known =
            ((index == i++ ? (get(value.template emplace<T>()), true) : false) || ...);
        if (!known)
            fail();
    }

    std::string_view rest_;
    bool failed_ = false;
};

} // namespace cpm::projections::packing
