#pragma once

#include "core/fleet.hpp"
#include "http/metrics.hpp"

#include <prometheus/metric_family.h>
#include <vector>

namespace cpm::http {

/// The metrics that are looked up when they are asked for: the fleet's, the log's, the process's.
std::vector<prometheus::MetricFamily>
scrape(core::Fleet const& fleet, eventstore::Head const& head, Figures const& figures);

} // namespace cpm::http
