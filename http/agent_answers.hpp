#pragma once

#include "core/manifest.hpp"
#include "eventstore/event_log.hpp"
#include "manager/accounts.hpp"
#include "manager/keys.hpp"
#include "manager/relays.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>
#include <vector>

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

/// The magic packets that an agent is to send for others: [{mac_address, secure_on?, id}]. The only
/// place where a SecureOn password leaves the manager other than in a packet.
boost::json::array
wake_json(std::vector<manager::WakeAsk> const& asks, manager::Accounts const& accounts);

/// Why an agent is told ON although OFF is asked for, and what to do; empty for None.
std::string_view notice_text(core::Notice notice);

} // namespace cpm::http
