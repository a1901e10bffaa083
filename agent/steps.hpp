#pragma once

#include "agent/wire.hpp"

#include <array>
#include <optional>
#include <string>
#include <variant>

/// What the conduct and those who act for it tell each other.
namespace cpm::agent {

/// What the conduct is told of the machine at the moment of a call.
struct Observation {
    microseconds boottime{}; ///< CLOCK_BOOTTIME: it goes on while the machine is suspended
    BootIdentity identity{};
    std::string blocked_by{};       ///< the owner's veto (inhibitor, hold file); empty: none
    std::string sleep_blocked_by{}; ///< one that is against suspend and hibernation alone
    Leaving leaving = Leaving::No;
    std::array<unsigned char, 32> random{}; ///< fresh in each observation
};

/// What outlives the process within one boot, and of it the head beyond that.
struct Memory {
    enum class Said : std::uint8_t { On, Stopping, Acted };
    BootIdentity identity{};
    Said said = Said::On;
    std::uint64_t request = 0; ///< the one it is Stopping for
    std::string failed{};      ///< why that request is not carried out; empty: it may be
    microseconds last_report{};
    std::optional<Head> head{};
    bool operator==(Memory const&) const = default;
};

// What to do next.
struct SendHeartbeat {
    Report report{};
    bool with_previous_token = false; ///< the token from before the last join
};
struct HoldManifest {
    ManifestQuestion question{};
    bool with_previous_token = false;
};
struct RunHooks {}; ///< in the background; the conduct goes on being asked
struct Act {
    OffMethod method{};
};
struct Rest {
    microseconds until{}; ///< by CLOCK_BOOTTIME, at the latest
};
using Step = std::variant<SendHeartbeat, HoldManifest, RunHooks, Act, Rest>;

/// Why a call gave no answer that counts.
struct Failure {
    enum class Kind : std::uint8_t {
        Trouble,     ///< no connection, no end, a redirect, rubbish, any other status
        NotSignedIn, ///< 401
        Gone,        ///< 410: the server was removed
        TooOften,    ///< 429: of this agent's reports not all are recorded
    };
    Kind kind = Kind::Trouble;
    std::string detail{};
};

struct Unchanged {}; ///< 304
using Outcome = std::variant<Answer, Unchanged, Failure>;

} // namespace cpm::agent
