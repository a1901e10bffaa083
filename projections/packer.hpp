#pragma once

#include "projections/packing.hpp"

#include <boost/pfr/core.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cpm::projections::packing {

/// Writes values one after the other.
class Packer {
  public:
    template <class... T>
    void operator()(T const&... values) {
        (put(values), ...);
    }

    std::string take() { return std::move(bytes_); }

  private:
    void raw(void const* data, std::size_t size) {
        bytes_.append(static_cast<char const*>(data), size);
    }
    void count(std::size_t size) { put(std::uint64_t(size)); }

    template <class T>
    void put(T const& value) {
        if constexpr (Number<T>)
            raw(&value, sizeof value);
        else if constexpr (Text<T>) {
            count(value.size());
            raw(value.data(), value.size());
        } else if constexpr (kIsDuration<T>)
            put(value.count());
        else if constexpr (kIsTimePoint<T>)
            put(value.time_since_epoch());
        else if constexpr (kIsArray<T>)
            for (auto const& one : value)
                put(one);
        else if constexpr (kIsPair<T>) {
            put(value.first);
            put(value.second);
        } else if constexpr (kIsVariant<T>) {
            put(std::uint16_t(value.index()));
            std::visit([this](auto const& one) { this->put(one); }, value);
        } else if constexpr (kIsShared<T>)
            put(*value);
        else if constexpr (Optional<T>) {
            put(value.has_value());
            if (value)
                put(*value);
        } else if constexpr (Map<T> || Set<T>)
            put_sorted(value);
        else if constexpr (List<T>) {
            count(value.size());
            for (auto const& one : value)
                put(one);
        } else if constexpr (HasFields<T>)
            T::fields(*this, value);
        else
            boost::pfr::for_each_field(value, [this](auto const& field) { this->put(field); });
    }

    template <class T>
    void put_sorted(T const& entries) {
        std::vector<typename T::value_type const*> sorted;
        sorted.reserve(entries.size());
        for (auto const& entry : entries)
            sorted.push_back(&entry);
        std::ranges::sort(
            sorted, {}, [](auto const* entry) -> auto const& {
                if constexpr (Map<T>)
                    return entry->first;
                else
                    return *entry;
            }
        );
        count(sorted.size());
        for (auto const* entry : sorted)
            put(*entry);
    }

    std::string bytes_;
};

} // namespace cpm::projections::packing
