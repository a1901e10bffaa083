// The small values as JSON, written one way in servers, events and notifications.
#pragma once

#include "core/actor.hpp"
#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/mac_address.hpp"
#include "core/time.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::projections {

/// A text that is not there is null.
boost::json::value text_or_null(std::string_view text);
/// A time that is not there is null.
boost::json::value time_or_null(std::optional<core::WallTime> const& time);
/// Whole seconds, or null.
boost::json::value seconds_or_null(std::optional<core::seconds> const& duration);
/// A number; "none" is null.
boost::json::value to_json(core::Sequence sequence);
boost::json::array to_json(std::vector<core::MacAddress> const& macs);
boost::json::array to_json(std::vector<std::string> const& texts);
/// {kind, name}
boost::json::object to_json(core::Actor const& actor);
/// {boot_id, resume_count}, or null.
boost::json::value to_json(std::optional<core::BootIdentity> const& identity);

} // namespace cpm::projections
