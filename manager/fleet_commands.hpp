#pragma once

#include "core/server_config.hpp"
#include "manager/step_up.hpp"
#include "manager/turn.hpp"

#include <optional>
#include <string>

namespace cpm::manager {

// What people ask about servers (HTTP 3.2). Each is decided on the writer's thread, so that two at
// once cannot both pass a guard.

struct AddServer {
    struct Outcome {
        core::ServerId server;
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerConfig config;
    std::optional<std::string> secure_on; ///< 8 or 12 hexadecimal digits
};
core::Result<AddServer::Outcome> decide(Turn& turn, AddServer const& command);

/// `edit` changes the configuration as it is when the command is decided, so that two edits of
/// different fields both hold.
struct UpdateServer {
    struct Outcome {
        core::Sequence sequence; ///< none: nothing was changed
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerId server;
    std::optional<core::Sequence> if_match; ///< the `configured` the editor saw
    std::function<void(core::ServerConfig&)> edit;
    std::optional<std::string> secure_on; ///< 8 or 12 hexadecimal digits; empty removes it
};
core::Result<UpdateServer::Outcome> decide(Turn& turn, UpdateServer const& command);

struct RemoveServer {
    struct Outcome {
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerId server;
    std::optional<core::Sequence> if_match;
    bool force = false; ///< confirms removing one that is not OFF
    Proof proof{};      ///< needed for that
};
core::Result<RemoveServer::Outcome> decide(Turn& turn, RemoveServer const& command);

struct CreateJoinToken {
    struct Outcome {
        std::string join_token;
        core::WallTime expires_at;
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    static constexpr std::chrono::hours kLifetime{24};
    core::Actor actor;
    core::ServerId server;
    bool any_machine = false;
};
core::Result<CreateJoinToken::Outcome> decide(Turn& turn, CreateJoinToken const& command);

/// Ends the credential of a server's agent.
struct RevokeAgent {
    struct Outcome {
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerId server;
};
core::Result<RevokeAgent::Outcome> decide(Turn& turn, RevokeAgent const& command);

/// Ends being set aside.
struct ReinstateAgent {
    struct Outcome {
        core::Sequence sequence;
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerId server;
};
core::Result<ReinstateAgent::Outcome> decide(Turn& turn, ReinstateAgent const& command);

} // namespace cpm::manager
