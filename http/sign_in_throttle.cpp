#include "http/sign_in_throttle.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

bool is_this_machine(std::string_view address) {
    return address == "::1" || address.starts_with("127.");
}

} // namespace

core::Result<void>
SignInThrottle::attempt(std::string_view username, std::string_view address, core::MonoTime now) {
    bool const known = knows(username, address);
    auto wait = addresses_.wait(address, now);
    if (!known)
        wait = std::max(wait, accounts_.wait(username, now));
    if (wait > core::MonoClock::duration::zero()) {
        core::Error error{
            core::ErrorCode::Throttled, "too many failures to sign in; wait and try again"};
        error.remaining_seconds = std::chrono::ceil<core::seconds>(wait).count();
        return tl::make_unexpected(std::move(error));
    }
    addresses_.count(address, now);
    if (!known)
        accounts_.count(username, now);
    return {};
}

void SignInThrottle::succeeded(std::string_view username, std::string_view address) {
    addresses_.forgive(address);
    accounts_.forgive(username);
    known_.note(username, address);
}

bool SignInThrottle::knows(std::string_view username, std::string_view address) const {
    return is_this_machine(address) || known_.knows(username, address);
}

core::MonoClock::duration
SignInThrottle::Book::wait(std::string_view key, core::MonoTime now) const {
    auto const found = entries.find(std::string(key));
    if (found == entries.end() || found->second.count < kFree)
        return core::MonoClock::duration::zero();
    auto const doublings = std::min(found->second.count - kFree, 6);
    auto const pause = std::min(core::seconds(1LL << doublings), kCap);
    return found->second.last + pause - now;
}

void SignInThrottle::Book::count(std::string_view key, core::MonoTime now) {
    auto [found, is_new] = entries.try_emplace(std::string(key));
    auto& failures = found->second;
    if (!is_new)
        ages.erase(failures.age);
    if (!is_new && now - failures.last >= kForgiven)
        failures.count = 0;
    ++failures.count;
    failures.last = now;
    failures.age = ages.insert(ages.end(), std::string(key));
    if (entries.size() > kMaxEntries) {
        entries.erase(ages.front());
        ages.pop_front();
    }
}

void SignInThrottle::Book::forgive(std::string_view key) {
    auto const found = entries.find(std::string(key));
    if (found == entries.end())
        return;
    ages.erase(found->second.age);
    entries.erase(found);
}

} // namespace cpm::http
