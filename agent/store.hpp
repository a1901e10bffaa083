#pragma once

#include "agent/client.hpp"
#include "agent/identity.hpp"
#include "agent/steps.hpp"

#include <tl/expected.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What the agent keeps in files.
namespace cpm::agent {

/// What a join gave: STATE/credentials.json (0600).
struct Credentials {
    std::string manager_url;
    Trust trust = Trust::System;
    std::string ca_certificate; ///< PEM; for Pinned
    std::string server_id;
    std::string agent_token;
    std::string previous_token; ///< the one before it, of the same server; may be empty
    std::string order_key;
    std::vector<std::string> mac_addresses;
    /// Random: what another join left behind (an agent that still ran beside it) does not count.
    std::string join_id;
    seconds token_since{}; ///< when `agent_token` was got, since 1970; 0: not known
};

/// The error names the file and what to do; none when this machine has not joined. What cannot be
/// used (a pinned CA that is missing or cannot be read) is an error here, not later.
tl::expected<std::optional<Credentials>, std::string>
load_credentials(std::filesystem::path const& state_directory);
/// In one step: until then those of the join before are there, whole.
tl::expected<void, std::string>
save_credentials(std::filesystem::path const& state_directory, Credentials const& credentials);

/// RUN/state.json: what the agent said last in this boot. Its folder does not outlive a boot.
struct Marker {
    Memory memory;
    microseconds suspended{}; ///< CLOCK_BOOTTIME − CLOCK_MONOTONIC at the last resume
};

/// None when there is none, none of this join, or none that can be read: then it is as after a
/// boot.
std::optional<Marker>
load_marker(std::filesystem::path const& run_directory, std::string_view join_id);
tl::expected<void, std::string> save_marker(
    std::filesystem::path const& run_directory, std::string_view join_id, Marker const& marker
);
void drop_marker(std::filesystem::path const& run_directory);

/// STATE/head.json: the last head seen. None when there is none of this join. The error: there is
/// one and it cannot be read, so that no log can be told from an older one; it says what to do.
tl::expected<std::optional<Head>, std::string>
load_head(std::filesystem::path const& state_directory, std::string_view join_id);
/// On the disk when this returns.
tl::expected<void, std::string>
save_head(std::filesystem::path const& state_directory, std::string_view join_id, Head const& head);
void drop_head(std::filesystem::path const& state_directory);

/// Forgets the join.
tl::expected<void, std::string> drop_state(std::filesystem::path const& state_directory);

} // namespace cpm::agent
