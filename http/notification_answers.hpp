#pragma once

#include <boost/json/object.hpp>

namespace cpm::http {

/// That the log was rolled back is noted beside it, not in it, and so is no fold of its events. It
/// goes when the rollback is accepted, not by being dismissed.
boost::json::object rolled_back_notification();

} // namespace cpm::http
