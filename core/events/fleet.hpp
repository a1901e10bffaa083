#pragma once

#include "core/identity.hpp"
#include "core/mac_address.hpp"
#include "core/server_config.hpp"
#include "core/time.hpp"

#include <string>
#include <vector>

namespace cpm::core {

// Family "fleet": which servers there are, and whose agents speak for them.

struct ServerAdded {
    ServerConfig config;
    bool operator==(ServerAdded const&) const = default;
};

/// Carries the whole configuration after the change.
struct ServerUpdated {
    ServerConfig config;
    bool operator==(ServerUpdated const&) const = default;
};

struct ServerRemoved {
    bool operator==(ServerRemoved const&) const = default;
};

/// The token itself is a secret; the log knows its public id.
struct JoinTokenCreated {
    std::string token_id;
    WallTime expires_at;
    bool any_machine = false;
    bool operator==(JoinTokenCreated const&) const = default;
};

struct AgentJoined {
    std::string token_id; ///< the join token that was spent
    std::string hostname;
    std::string agent_version;
    std::string os;
    std::string address;                   ///< the peer it called from
    std::vector<MacAddress> mac_addresses; ///< all the server has from now on
    bool operator==(AgentJoined const&) const = default;
};

/// The new token was used for the first time: the old one is dead.
struct AgentTokenRotated {
    bool operator==(AgentTokenRotated const&) const = default;
};

struct AgentRevoked {
    bool operator==(AgentRevoked const&) const = default;
};

struct AgentSetAside {
    BootIdentity identity; ///< the replaced identity that reported again
    bool operator==(AgentSetAside const&) const = default;
};

struct AgentReinstated {
    bool operator==(AgentReinstated const&) const = default;
};

} // namespace cpm::core
