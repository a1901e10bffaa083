#pragma once

#include "core/fleet.hpp"
#include "projections/notification.hpp"

#include <span>

namespace cpm::projections {

/// What a notification of this kind says of a server as it stands after the decision that raised
/// it: severity, text and actions; neither id nor since.
Notification
compose(NotificationKind kind, core::Server const& server, core::Settings const& settings);

/// The same of all servers of a silence of many; there is at least one.
Notification
compose_many(std::span<core::Server const* const> servers, core::Settings const& settings);

} // namespace cpm::projections
