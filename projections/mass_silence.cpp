#include "projections/mass_silence.hpp"

#include <algorithm>
#include <variant>

namespace cpm::projections {
namespace {

constexpr std::size_t kFew = 3;
constexpr std::size_t kPercent = 45;

} // namespace

bool MassSilence::covers(core::ServerId server) const {
    return std::ranges::count(covered_, server) > 0;
}

bool MassSilence::hear(
    std::span<core::Event const> decision, core::Fleet const& after, bool is_trouble
) {
    auto const& event = decision.front();
    auto const* const server = after.find(event.server);
    bool const reports = server && server->state.current != core::HeartbeatStatus::None;
    if (reports)
        reporting_.insert(event.server);
    else
        reporting_.erase(event.server);
    if (reports || !is_trouble)
        return forget(event.server);
    bool const is_lost = std::holds_alternative<core::HeartbeatLost>(event.payload);
    return is_lost && note_loss(event, server->heartbeat_timeout);
}

bool MassSilence::forget(core::ServerId server) {
    std::erase_if(recent_, [&](Loss const& loss) { return loss.server == server; });
    return std::erase(covered_, server) > 0;
}

bool MassSilence::note_loss(core::Event const& lost, core::seconds timeout) {
    std::erase_if(recent_, [&](Loss const& loss) { return loss.at < lost.at - timeout; });
    recent_.push_back({lost.server, lost.at});
    auto const were_reporting = reporting_.size() + recent_.size();
    if (recent_.size() <= kFew || recent_.size() * 100 <= were_reporting * kPercent)
        return false;
    for (auto const& loss : recent_)
        if (!covers(loss.server))
            covered_.push_back(loss.server);
    return true;
}

} // namespace cpm::projections
