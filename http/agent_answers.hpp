#pragma once

#include "core/manifest.hpp"
#include "eventstore/event_log.hpp"
#include "manager/keys.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace cpm::http {

/// What an agent is told, after a heartbeat and by a manifest call alike (HTTP 3.3):
/// {power_status, heartbeat_interval_seconds, manifest_version, head, order?, notice?}. The order
/// is signed here; `head` must contain its event.
boost::json::object agent_answer(
    core::Manifest const& manifest,
    std::string_view version,
    eventstore::Head const& head,
    manager::Keys const& keys
);

/// Why an agent is told ON although OFF is asked for, and what to do; empty for None.
std::string_view notice_text(core::Notice notice);

} // namespace cpm::http
