#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A second reading of docs/status-model.md, to hold core against. It shares no code with core, has
/// other words and another shape: where core decides events and lets a state evolve through them,
/// here one function for each thing that can happen says what then is, and what was logged.
namespace model {

enum class Sign { Silent, Up, GoingDown };

/// The last request, while it matters.
struct Ask {
    std::int64_t number = 0;
    bool for_off = false;
    bool time_is_up = false; ///< its standby time has passed
    bool is_order = false;   ///< asked of a reporting server, and nobody else spoke for it since
    bool obeyed = false;     ///< the last word was an unhindered "going down" under this OFF
    bool seen_up = false;    ///< nothing is left to wait for before silence means a crash
    bool of_known = false;   ///< asked when the agent that joined last had spoken already
    bool operator==(Ask const&) const = default;
};

/// An identity that spoke for the server before another took its place.
struct Ghost {
    int who = 0;
    bool has_spoken = false;
    bool operator==(Ghost const&) const = default;
};

struct Machine {
    bool should_run = false;
    std::array<Sign, 2> heard{Sign::Silent, Sign::Silent}; ///< the word before last, the last
    std::optional<Ask> ask;
    std::optional<int> who;            ///< the identity on record
    std::vector<Ghost> ghosts;         ///< newest first
    std::optional<std::int64_t> count; ///< the last report number of `who`
    bool hindered = false; ///< the last word named something that keeps it from going down
    bool by_hand = false;
    bool distrusted = false;
    bool has_spoken = false; ///< the agent that joined last
    bool operator==(Machine const&) const = default;
};

/// What an agent says.
struct Speech {
    Sign sign{};
    std::optional<int> who;
    std::optional<std::int64_t> count;
    bool hindered = false;
};

/// What then is, and the names of the events that were logged.
struct Outcome {
    Machine then;
    std::vector<std::string> logged;
    bool people_are_told = false; ///< of a machine that runs although OFF had been asked
};

/// How the manager is set up.
struct Rules {
    bool releases_when_settled = false;
};

Outcome ask_for(Machine const& now, bool off, std::int64_t number, Rules rules);
Outcome hear(Machine const& now, Speech const& speech, Rules rules);
Outcome miss(Machine const& now, Rules rules);    ///< no word in time after the last one
Outcome time_up(Machine const& now, Rules rules); ///< the standby time of the last request
Outcome join(Machine const& now, Rules rules);
Outcome trust_again(Machine const& now, Rules rules);
Outcome manager_start(Machine const& now);
Outcome accept_rollback(Machine const& now); ///< the log had lost its end
/// Something else was decided about the server, and is logged as `name`.
Outcome note(Machine const& now, std::string name, Rules rules);
/// The last request was never acknowledged; `before` is what was before it.
Outcome take_back(Machine const& now, Machine const& before, Rules rules);

struct Conclusion {
    std::string status;
    std::string reason;
};
Conclusion conclude(Machine const& now);

/// Somebody asks what the server should do.
struct Caller {
    std::optional<int> who;
    bool sent_nonce = false;
    bool by_heartbeat = false; ///< else by a held manifest call
    bool word_counted = true;
    bool unsigned_will_do = false; ///< the server's setting
    bool log_rolled_back = false;
};

enum class Told { On, OnWithNotice, OffWithOrder, OffUnsigned };
Told tell(Machine const& now, Caller const& caller);

} // namespace model
