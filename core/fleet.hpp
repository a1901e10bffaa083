#pragma once

#include "core/event.hpp"
#include "core/server_config.hpp"
#include "core/server_state.hpp"
#include "core/settings.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cpm::core {

/// What is known of a server's agent.
struct Agent {
    bool enrolled = false;   ///< it holds a credential
    bool can_verify = false; ///< its last heartbeat carried a nonce
    Sequence heard{};        ///< its first heartbeat since it joined; none: it has not reported yet
    std::string version;
    std::string hostname;
    std::string os;
    std::string address;
    bool operator==(Agent const&) const = default;
};

/// The packets sent for the standing ON request.
struct Wakes {
    /// The manager's own since the request; a round is a packet to each MAC. Those that a person
    /// asked for are none.
    std::uint32_t rounds = 0;
    WallTime last_at{};  ///< of the last round
    ServerId last_relay; ///< the last server whose agent was to send one
    bool operator==(Wakes const&) const = default;
};

/// Who made a power request, when, and what became of it, kept while a later one may be withdrawn.
struct EarlierRequest {
    Sequence sequence;
    Actor requested_by;
    WallTime requested_at{};
    seconds standby{};
    Wakes wakes;
    bool operator==(EarlierRequest const&) const = default;
};

/// One server: what was said of it, its state, and the durations its deadlines are made of.
struct Server {
    ServerId id;
    ServerConfig config;
    ServerState state;
    Agent agent;
    seconds heartbeat_timeout{}; ///< the last heartbeat's
    WallTime requested_at{};     ///< the last power request's
    seconds standby{};           ///< the last power request's
    Wakes wakes;
    std::optional<EarlierRequest> earlier_request; ///< the one before the last

    // For people: told with the status, part of no decision.
    Actor requested_by; ///< who made the last power request
    std::optional<WallTime> last_heartbeat_at;
    Leaving leaving = Leaving::No; ///< the last heartbeat's: its system goes down by its own wish
    WallTime changed_at{};         ///< when the actual status last became another
    Sequence changed;    ///< the last event that changed more than report numbers and times
    Sequence configured; ///< the last event that changed the configuration
    bool operator==(Server const&) const = default;
};

/// The fold of the whole log, as far as decisions need it.
struct Fleet {
    std::unordered_map<ServerId, Server> servers;
    std::unordered_map<MacAddress, ServerId> by_mac;
    std::unordered_map<std::string, ServerId> by_name;
    Settings settings;
    Sequence settings_changed; ///< the last SettingsChanged, or none
    std::uint64_t epoch = 1;
    bool operator==(Fleet const&) const = default;

    Server const* find(ServerId id) const {
        auto const it = servers.find(id);
        return it == servers.end() ? nullptr : &it->second;
    }
};

} // namespace cpm::core
