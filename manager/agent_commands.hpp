#pragma once

#include "core/decide.hpp"
#include "core/decide_fleet.hpp"
#include "core/manifest.hpp"
#include "manager/relays.hpp"
#include "manager/turn.hpp"

#include <string>
#include <vector>

namespace cpm::manager {

// What agents ask of the manager (HTTP 3.3). Each command is decided on the writer's thread by its
// decide(); the outcome is told once the events are durable.

/// What an agent is told: signed and dressed as JSON by the interface.
struct ManifestOutcome {
    core::Manifest manifest;
    std::string version;
    std::vector<WakeAsk> wake{}; ///< what it is to send for others; only with ON
};
/// With its version; `asked`: all that this agent is asked for.
ManifestOutcome make_manifest_outcome(
    core::Server const& server, core::Manifest manifest, std::vector<WakeAsk> asked
);

struct ReceiveHeartbeat {
    using Outcome = ManifestOutcome;
    static constexpr bool kRefusedFirst = false;
    core::ServerId server;
    core::Report report;
};
core::Result<ManifestOutcome> decide(Turn& turn, ReceiveHeartbeat const& command);

/// A held manifest call is answered: an OFF it hands out is an event.
struct AskManifest {
    using Outcome = ManifestOutcome;
    static constexpr bool kRefusedFirst = false;
    core::ServerId server;
    core::Asker asker;
};
core::Result<ManifestOutcome> decide(Turn& turn, AskManifest const& command);

/// An agent carries a head of this log that the log contradicts: it was rolled back (a restored
/// disk). Nothing is appended: it is noted beside the log, and holds until a rollback is accepted.
struct NoteRollback {
    struct Outcome {};
    static constexpr bool kRefusedFirst = false;
    std::uint64_t epoch = 0; ///< the witness's; one of an earlier epoch proves nothing any more
    std::string why;
};
core::Result<NoteRollback::Outcome> decide(Turn& turn, NoteRollback const& command);

/// Spends a join token. Of two machines that race for one, exactly one wins.
struct JoinAgent {
    struct Outcome {
        core::ServerId server;
        std::string agent_token;
        core::seconds heartbeat_interval{};
    };
    static constexpr bool kRefusedFirst = true;
    std::string join_token;
    core::JoiningMachine machine;
    std::string agent_version;
    std::string os;
    std::string address;
};
core::Result<JoinAgent::Outcome> decide(Turn& turn, JoinAgent const& command);

/// Hands out a new token for an agent that has one: the old one counts until the new one is used.
/// Asked again, it takes the place of one that was never used (its answer may have been lost).
struct RotateAgentToken {
    struct Outcome {
        std::string agent_token;
    };
    static constexpr bool kRefusedFirst = true;
    core::ServerId server;
    core::Hash secret{}; ///< of the token it calls with: one that ended meanwhile gets no other
};
core::Result<RotateAgentToken::Outcome> decide(Turn& turn, RotateAgentToken const& command);

/// The first use of a token that was handed out by a rotation: from here on the old one is void.
struct UseAgentToken {
    struct Outcome {};
    static constexpr bool kRefusedFirst = false;
    core::Hash secret{};
};
core::Result<UseAgentToken::Outcome> decide(Turn& turn, UseAgentToken const& command);

} // namespace cpm::manager
