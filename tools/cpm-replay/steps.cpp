#include "tools/cpm-replay/steps.hpp"

#include "core/evolve.hpp"
#include "tools/cpm-replay/server_walk.hpp"

namespace cpm::replay {
namespace {

std::optional<core::ActualStatus> status_in(core::Fleet const& fleet, core::ServerId id) {
    auto const* server = fleet.find(id);
    return server ? std::optional(server->state.actual) : std::nullopt;
}

} // namespace

void Steps::take(core::Fleet& fleet, core::Event const& event) const {
    if (event.server == server_ || !event.server)
        evolve(fleet, event);
}

core::Result<void> Steps::load() {
    core::Fleet fleet;
    auto const visit = [&](eventstore::StoredEvent const& stored) {
        auto const& event = stored.event;
        bool const is_own = event.server == server_;
        auto const* server = fleet.find(server_);
        auto const before = server && !is_own ? std::optional(*server) : std::nullopt;
        auto const status = status_in(fleet, server_);
        if (!is_own && !before) { // it changes settings at most
            take(fleet, event);
            return true;
        }
        core::Fleet was;
        bool const is_mark = steps_.size() % kBetween == 0;
        if (is_mark)
            was = fleet;
        take(fleet, event);
        if (!is_own && *before == *fleet.find(server_))
            return true;
        if (is_mark)
            before_.push_back(std::move(was));
        steps_.push_back({event.sequence, status != status_in(fleet, server_)});
        return true;
    };
    return walk_servers(log_, {kFleet, server_}, {1}, log_.head().sequence, visit);
}

core::Result<Step> Steps::at(std::size_t index) {
    if (index < ready_ || index - ready_ >= kBetween) {
        ready_ = index / kBetween * kBetween;
        fleet_ = before_[index / kBetween];
    }
    Step step;
    for (;; ++ready_) {
        auto const sequence = steps_[ready_].sequence;
        auto const read = log_.read_back(sequence, sequence, [&](auto const& stored) {
            step.event = stored.event;
            step.hash = stored.hash;
            return true;
        });
        if (!read)
            return tl::make_unexpected(read.error());
        if (ready_ == index)
            break;
        take(fleet_, step.event);
    }
    auto const* before = fleet_.find(server_);
    auto const was = before ? std::optional(*before) : std::nullopt;
    take(fleet_, step.event);
    ++ready_;
    step.changes = changes_between(was ? &*was : nullptr, fleet_.find(server_), Detail::Everything);
    return step;
}

std::optional<std::size_t> Steps::next_change(std::size_t index) const {
    for (auto i = index + 1; i < steps_.size(); ++i)
        if (steps_[i].changed_status)
            return i;
    return std::nullopt;
}

std::optional<std::size_t> Steps::previous_change(std::size_t index) const {
    for (auto i = index; i > 0; --i)
        if (steps_[i - 1].changed_status)
            return i - 1;
    return std::nullopt;
}

} // namespace cpm::replay
