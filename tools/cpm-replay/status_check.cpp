#include "tools/cpm-replay/status_check.hpp"

#include "core/evolve.hpp"

#include <fmt/format.h>

namespace cpm::replay {
namespace {

std::string_view text_of(std::optional<core::ActualStatus> const& status) {
    return status ? to_string(*status) : "no status";
}

} // namespace

StatusCheck::StatusCheck(FaultSink found)
    : found_(std::move(found))
    , reader_([this](std::span<core::Event const> decision) { judge(decision); }) {}

void StatusCheck::lost(core::Sequence sequence) {
    reader_.flush(); // what is whole of the decision before; the rest cannot be known
    if (!lost_)
        lost_ = sequence;
    judged_ = sequence;
}

void StatusCheck::judge(std::span<core::Event const> decision) {
    ++decisions_;
    auto const& first = decision.front();
    bool const begins = first.decision == first.sequence;
    bool const after_loss = lost_ && judged_.next() == first.sequence;
    if (!begins && !after_loss)
        found_(
            {Check::Record,
             first.sequence,
             first.sequence,
             fmt::format(
                 "it says that its decision began with event {}, which it does not follow",
                 first.decision.value
             )}
        );
    for (auto const& event : decision)
        evolve(fleet_, event);
    for (auto const& event : decision)
        compare(event);
    judged_ = decision.back().sequence;
}

void StatusCheck::compare(core::Event const& event) {
    auto const* server = fleet_.find(event.server);
    auto const follows = server ? std::optional(server->state.actual) : std::nullopt;
    if (event.actual == follows) {
        told_.erase(event.server);
        return;
    }
    if (lost_ && !told_.insert(event.server).second)
        return;
    auto text = fmt::format(
        "{} is recorded, and {} follows from the events", text_of(event.actual), text_of(follows)
    );
    if (server)
        text += " for " + server->config.name;
    if (lost_)
        text += fmt::format(" (record {} was lost: that may be why)", lost_.value);
    found_({Check::Status, event.sequence, event.sequence, text});
}

} // namespace cpm::replay
