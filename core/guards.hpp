#pragma once

#include "core/fleet.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace cpm::core {

// What stands against an OFF although the status model would accept it (HTTP 3.2, "Guards"). Pure:
// who decides a request gathers the facts in that very step, so that two at once cannot both pass.

/// An OFF would leave fewer servers of this tag wanted ON than the setting min_on asks for.
struct Shortage {
    std::string tag;
    std::uint32_t least = 0; ///< the setting's number
    std::uint32_t left = 0;  ///< wanted ON after the OFF
    bool operator==(Shortage const&) const = default;
};

/// How many servers of each tag that min_on names are wanted ON (their power status is ON).
class WantedOn {
  public:
    explicit WantedOn(Fleet const& fleet);

    /// The first tag of the server, in their order, that its OFF would leave short. None for one
    /// that is neither wanted ON nor reporting: its OFF takes nothing away from anybody.
    std::optional<Shortage> shortage(Server const& server) const;

    /// A server that was wanted ON is now wanted OFF.
    void remove(Server const& server);

  private:
    std::map<std::string, std::uint32_t> const& least_;
    std::map<std::string, std::uint32_t> wanted_;
};

/// Whether the manager itself runs on a server: whether one of its MACs is a card of the manager's
/// own machine.
enum class OwnHost : std::uint8_t {
    No,
    Yes,
    Unknown, ///< the system never said which cards this machine has: it may be
};

/// What the one who asks for OFF has confirmed, and what stands against it.
struct PowerGuards {
    OwnHost own_host = OwnHost::No;
    bool include_manager = false;       ///< said in the request
    bool name_confirmed = false;        ///< the request repeats the server's name
    bool in_bulk = false;               ///< one of many: no name confirms a protected server
    std::optional<Shortage> shortage{}; ///< of the min_on of one of its tags
};

/// Why this server must not be switched off now, with the field that would confirm it; none: it
/// may.
std::optional<Error> guard_off(Server const& server, PowerGuards const& guards);

/// What came with a request that may have to be confirmed.
struct StepUp {
    enum class Password : std::uint8_t { NotGiven, Right, Wrong };

    bool by_session = false; ///< asked with a session's cookie; else with an API token
    Password password = Password::NotGiven;
    /// How long ago the session's password was last given, signing in included.
    std::optional<milliseconds> since_password{};
    std::optional<std::uint64_t> count{}; ///< confirm_count
};

/// So long a password need not be given again.
inline constexpr seconds kPasswordHolds{300};

/// A session gives its password again, unless it was given within the last 5 minutes; a wrong one
/// is refused always. An API token confirms nothing here. `what` completes "… needs your password".
Result<void> check_password(StepUp const& step_up, std::string_view what);

/// OFF of many: more than the setting confirm_above need the password again (session) or their
/// number (API token); a number that was given must be right in any case. `servers`: how many the
/// request names.
Result<void> check_bulk_off(std::size_t servers, Settings const& settings, StepUp const& step_up);

} // namespace cpm::core
