#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "projections/sign_in_addresses.hpp"

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace cpm::http {

/// Slows down guessing of passwords, per account and per address (HTTP 3.5).
///
/// Operation: some failures are free, then each doubles the pause before the next try, up to a cap;
/// a success, or a quarter of an hour without a failure, forgives all. The pause of an account
/// holds only for addresses that never signed in to it (this machine itself counts as one that
/// did), so that a stranger who guesses all day does not lock the owner out.
///
/// Limitations: in memory; a restart forgives.
class SignInThrottle {
  public:
    static constexpr int kFree = 5;
    static constexpr core::seconds kCap{60};
    static constexpr std::chrono::minutes kForgiven{15};
    static constexpr std::size_t kMaxEntries = 4096; ///< of each kind; the oldest are forgotten

    /// Call before a password is looked at: counts as a failure until succeeded() says otherwise,
    /// so that tries at the same time count, too. Fails with Throttled and the seconds to wait.
    core::Result<void>
    attempt(std::string_view username, std::string_view address, core::MonoTime now);

    void succeeded(std::string_view username, std::string_view address);
    /// The end of the history: where people have signed in from.
    void loaded(projections::SignInAddresses known) { known_ = std::move(known); }

  private:
    struct Failures {
        int count = 0;
        core::MonoTime last{};
        std::list<std::string>::iterator age;
    };
    /// Failures by account or by address; the least recently touched is forgotten first.
    struct Book {
        std::unordered_map<std::string, Failures> entries;
        std::list<std::string> ages; ///< oldest first
        core::MonoClock::duration wait(std::string_view key, core::MonoTime now) const;
        void count(std::string_view key, core::MonoTime now);
        void forgive(std::string_view key);
    };

    bool knows(std::string_view username, std::string_view address) const;

    Book accounts_;
    Book addresses_;
    projections::SignInAddresses known_;
};

} // namespace cpm::http
