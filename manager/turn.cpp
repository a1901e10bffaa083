#include "manager/turn.hpp"

#include "core/assert.hpp"

#include <algorithm>

namespace cpm::manager {

Turn::Turn(World world, core::Now now, core::Sequence head)
    : world_(std::move(world))
    , now_(now)
    , head_(head)
    , epoch_(world_.fleet.epoch) {}

core::Result<void> Turn::mark_rolled_back(std::string_view why, std::uint64_t witnessed_epoch) {
    world_.rolled_back = true;
    world_.witnessed_epoch = std::max(world_.witnessed_epoch, witnessed_epoch);
    epoch_ = world_.fleet.epoch;
    return world_.mark_rolled_back(why, witnessed_epoch);
}

core::OwnHost Turn::own_host(core::Server const& server) const {
    if (!own_macs_)
        own_macs_ = world_.own_macs();
    auto const& cards = *own_macs_;
    if (!cards)
        return core::OwnHost::Unknown;
    bool const is_own = std::ranges::any_of(server.config.mac_addresses, [&](auto const& mac) {
        return std::ranges::count(*cards, mac) > 0;
    });
    return is_own ? core::OwnHost::Yes : core::OwnHost::No;
}

core::milliseconds Turn::standby_remaining(core::Server const& server) const {
    if (!core::standby_is_open(server.state))
        return {};
    bool const is_new = is_of_this_round(server.state.request->sequence);
    return is_new ? server.standby : world_.standby_remaining(server.id);
}

std::span<core::Event const> Turn::record(
    core::ServerId server, core::Payloads&& payloads, core::Actor const& actor, core::Sequence cause
) {
    auto const decision = core::record(
        world_.fleet, server, std::move(payloads), {now_.wall, actor, cause}, head_, events_
    );
    if (!decision.empty())
        head_ = decision.back().sequence;
    return decision;
}

core::Sequence
Turn::record_one(core::ServerId server, core::Payload&& payload, core::Actor const& actor) {
    core::Payloads payloads;
    payloads.push_back(std::move(payload));
    return record(server, std::move(payloads), actor).front().sequence;
}

void Turn::change(eventstore::RecordChange change) {
    auto const applied = change.table == eventstore::Table::Idempotency
                             ? world_.idempotency.apply(change)
                             : world_.accounts.apply(change);
    ASSERT(applied); // it was written by this very process
    changes_.push_back(std::move(change));
}

} // namespace cpm::manager
