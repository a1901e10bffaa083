#include "manager/report_limits.hpp"

#include <algorithm>

namespace cpm::manager {
namespace {

core::MonoClock::duration place(core::seconds interval) {
    return core::MonoClock::duration(interval) / 4;
}

} // namespace

core::milliseconds ReportLimits::wait(
    core::ServerId server, Kind kind, core::MonoTime now, core::seconds interval
) const {
    auto const found = entries_.find(server);
    if (found == entries_.end())
        return {};
    auto const& places = found->second.of(kind);
    if (places.interval != interval)
        return {};
    auto const one_is_free = places.free_at - place(interval) * (ahead_ - 1);
    return std::max(std::chrono::ceil<core::milliseconds>(one_is_free - now), {});
}

void ReportLimits::take(
    core::ServerId server, Kind kind, core::MonoTime now, core::seconds interval
) {
    auto& places = entries_[server].of(kind);
    auto const begin = places.interval == interval ? std::max(places.free_at, now) : now;
    // What always counts takes no more places than there are.
    places.free_at = std::min(begin + place(interval), now + place(interval) * ahead_);
    places.interval = interval;
}

} // namespace cpm::manager
