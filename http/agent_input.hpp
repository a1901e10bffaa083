#pragma once

#include "core/decide.hpp"
#include "core/manifest.hpp"
#include "core/result.hpp"
#include "http/message.hpp"
#include "manager/agent_commands.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

// What agents send (HTTP 3.3). A field that is missing or wrong is a fault; one that is null is
// absent, and one the manager does not know is ignored: the agent may be newer.

/// The body of a heartbeat. `boot_id` without `resume_count` (or the reverse) is no identity.
core::Result<core::Report> read_heartbeat(Request const& request);

/// The body of a join.
core::Result<manager::JoinAgent> read_join(Request const& request);

/// The query of a manifest call.
struct ManifestCall {
    core::Asker asker{};
    core::seconds wait{}; ///< how long it may be held; 0: not at all
};
core::Result<ManifestCall> read_manifest_call(Request const& request);

/// A nonce: 16 to 32 random bytes in base64url without padding.
std::optional<std::string> parse_nonce(std::string_view text);

} // namespace cpm::http
