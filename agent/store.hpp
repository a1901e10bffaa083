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

/// What a join gave: STATE/credentials.json (0600), and STATE/head.json, the last head seen.
struct Credentials {
    std::string manager_url;
    Trust trust = Trust::System;
    std::string ca_certificate; ///< PEM; for Pinned
    std::string server_id;
    std::string agent_token;
    std::string previous_token; ///< from before the last join to the same server; may be empty
    std::string order_key;
    std::vector<std::string> mac_addresses;
};

/// The error names the file and what to do; none when this machine has not joined.
tl::expected<std::optional<Credentials>, std::string>
load_credentials(std::filesystem::path const& state_directory);
tl::expected<void, std::string>
save_credentials(std::filesystem::path const& state_directory, Credentials const& credentials);

/// RUN/state.json: what the agent said last in this boot. Its folder does not outlive a boot.
struct Marker {
    Memory memory;
    microseconds suspended{}; ///< CLOCK_BOOTTIME − CLOCK_MONOTONIC at the last resume
};

/// None when there is none, or none that can be read: then it is as after a boot.
std::optional<Marker> load_marker(std::filesystem::path const& run_directory);
tl::expected<void, std::string>
save_marker(std::filesystem::path const& run_directory, Marker const& marker);
void drop_marker(std::filesystem::path const& run_directory);

std::optional<Head> load_head(std::filesystem::path const& state_directory);
tl::expected<void, std::string>
save_head(std::filesystem::path const& state_directory, Head const& head);

/// Forgets the join.
tl::expected<void, std::string> drop_state(std::filesystem::path const& state_directory);

} // namespace cpm::agent
