#pragma once

#include <optional>
#include <string>

#include "core/fleet.hpp"
#include "core/settings.hpp"
#include "core/time.hpp"

namespace cpm::projections {

/// Why a server has the status it has: the row or rule, and one sentence with its evidence.
struct Reason {
    std::string rule; ///< "OFF/ON/Stopping", "S", "A", "B", "adopted"
    std::string text; ///< plain English; names times in UTC, people and what to expect next
    bool operator==(Reason const&) const = default;
};

Reason explain(core::Server const& server, core::Settings const& settings);

} // namespace cpm::projections
