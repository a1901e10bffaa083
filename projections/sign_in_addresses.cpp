#include "projections/sign_in_addresses.hpp"

#include <algorithm>
#include <variant>

namespace cpm::projections {

void SignInAddresses::apply(core::Event const& event) {
    if (auto const* const signed_in = std::get_if<core::SignedIn>(&event.payload))
        note(signed_in->username, signed_in->address);
}

void SignInAddresses::note(std::string_view username, std::string_view address) {
    auto& known = known_[std::string(username)];
    std::erase(known, address);
    known.emplace_back(address);
    if (known.size() > kMost)
        known.pop_front();
}

bool SignInAddresses::knows(std::string_view username, std::string_view address) const {
    auto const found = known_.find(username);
    return found != known_.end() && std::ranges::count(found->second, address) > 0;
}

} // namespace cpm::projections
