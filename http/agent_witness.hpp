#pragma once

#include "eventstore/event_log.hpp"
#include "http/message.hpp"
#include "manager/keys.hpp"

#include <optional>
#include <string>

namespace cpm::http {

/// The head of the log that an agent was told, and brings with its heartbeat (HTTP 3.3). None when
/// there is none in the body, when it is not complete, or when its MAC is not this manager's: it
/// proves nothing then.
std::optional<eventstore::Head> read_witness(Request const& request, manager::Keys const& keys);

/// Why the log, which ends at `head`, is older than the witness: it has a higher epoch, or the same
/// and a higher sequence or another hash there. Empty when it is not, or cannot be told.
std::string contradiction(
    eventstore::Head const& witness,
    eventstore::Head const& head,
    eventstore::EventReader const& log
);

} // namespace cpm::http
