#pragma once

#include "core/event.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace cpm::projections {

/// From where people have signed in to each account: the newest kMost addresses of each.
class SignInAddresses {
  public:
    static constexpr std::size_t kMost = 16;

    /// A SignedIn; anything else says nothing.
    void apply(core::Event const& event);
    void note(std::string_view username, std::string_view address);
    bool knows(std::string_view username, std::string_view address) const;

    /// Every member (packing.hpp).
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        auto& [known] = self;
        archive(known);
    }

  private:
    std::map<std::string, std::deque<std::string>, std::less<>> known_; ///< oldest first
};

} // namespace cpm::projections
