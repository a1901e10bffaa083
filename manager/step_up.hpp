#pragma once

#include "core/guards.hpp"
#include "manager/turn.hpp"

#include <cstdint>
#include <optional>

namespace cpm::manager {

/// What a person's request brought along, beside its credential, to confirm what it asks (HTTP
/// "Guards"). Passwords are verified before, outside of the writer's thread.
struct Proof {
    std::optional<core::Hash> session{}; ///< of the cookie; none: an API token
    core::StepUp::Password password = core::StepUp::Password::NotGiven;
    std::optional<std::uint64_t> count{}; ///< confirm_count
};

/// The proof as the guards look at it now. NotSignedIn: the session, or its user, ended while the
/// password was being verified.
core::Result<core::StepUp> weigh(Turn const& turn, Proof const& proof);

/// A right password is remembered with its session: it need not be given again for a while. The
/// session is there (weigh).
void remember(Turn& turn, Proof const& proof);

} // namespace cpm::manager
