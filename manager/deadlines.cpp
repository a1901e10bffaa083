#include "manager/deadlines.hpp"

namespace cpm::manager {
namespace {

constexpr std::uint64_t kKinds = 4; // payload = slot * kKinds + kind

} // namespace

Deadlines::Deadlines(core::MonoTime now)
    : wheel_(now) {}

Deadlines::Timer* Deadlines::find(core::ServerId server, DeadlineKind kind) {
    auto const it = slot_of_.find(server);
    return it == slot_of_.end() ? nullptr
                                : &slots_[it->second].timers[static_cast<std::size_t>(kind)];
}

void Deadlines::set(
    core::ServerId server, DeadlineKind kind, core::MonoTime at, core::Sequence about
) {
    auto [it, is_new] = slot_of_.try_emplace(server);
    if (is_new) {
        if (free_.empty()) {
            free_.push_back(slots_.size());
            slots_.emplace_back();
        }
        it->second = free_.back();
        free_.pop_back();
        slots_[it->second] = Slot{server, {}};
    }
    auto& timer = slots_[it->second].timers[static_cast<std::size_t>(kind)];
    if (timer.about)
        wheel_.cancel(timer.id);
    auto const payload = it->second * kKinds + static_cast<std::uint64_t>(kind);
    timer = {wheel_.schedule(at, payload), at, about};
}

void Deadlines::clear(core::ServerId server, DeadlineKind kind) {
    auto* timer = find(server, kind);
    if (!timer || !timer->about)
        return;
    wheel_.cancel(timer->id);
    *timer = {};
}

void Deadlines::forget(core::ServerId server) {
    auto const it = slot_of_.find(server);
    if (it == slot_of_.end())
        return;
    for (auto& timer : slots_[it->second].timers)
        if (timer.about)
            wheel_.cancel(timer.id);
    slots_[it->second] = {};
    free_.push_back(it->second);
    slot_of_.erase(it);
}

std::optional<core::MonoTime> Deadlines::at(core::ServerId server, DeadlineKind kind) const {
    auto const* timer = const_cast<Deadlines*>(this)->find(server, kind);
    if (!timer || !timer->about)
        return std::nullopt;
    return timer->at;
}

void Deadlines::take_due(core::MonoTime now, std::vector<Due>& due) {
    wheel_.advance(now, [&](std::uint64_t payload) {
        auto& slot = slots_[payload / kKinds];
        auto& timer = slot.timers[payload % kKinds];
        due.push_back({slot.server, static_cast<DeadlineKind>(payload % kKinds), timer.about});
        timer = {};
    });
}

} // namespace cpm::manager
