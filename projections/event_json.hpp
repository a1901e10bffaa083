#pragma once

#include "core/event.hpp"
#include "core/hash.hpp"
#include "core/result.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace cpm::projections {

/// An event as the API and the tools show it: {sequence, decision, at, type, family, server_id,
/// actor, cause, actual_status, data, hash}. Sequences are numbers; a server, cause or status that
/// is not there is null; the hash is lower-case hexadecimal.
boost::json::object to_json(core::Event const& event, core::Hash const& hash);

/// The payload's own fields, by the API's names: snake_case, durations in seconds with the unit in
/// the name, an identity as {boot_id, resume_count}, what is not there null.
boost::json::object data_of(core::Payload const& payload);

/// A refusal's reason as it stands in the log's JSON: the last part of the API's problem type.
std::string_view reason_word(core::ErrorCode code);

} // namespace cpm::projections
