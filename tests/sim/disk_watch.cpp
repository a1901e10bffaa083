#include "tests/sim/disk_watch.hpp"

#include "tests/sim/journal.hpp"

#include <algorithm>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

/// A round that comes so much later has kept it.
constexpr Time kWitnessKept = 1s;

} // namespace

void DiskWatch::manager_turned(Disk const& disk, Time now) {
    auto const& witness = disk.content().witness;
    bool const is_kept = witness && witness->sequence >= witnessed_until_;
    if (!is_kept && now >= witness_due_)
        violated(Invariant::AnsweredIsKept, "the witness of the log's head is not kept");
    if (!is_kept)
        return;
    witnessed_until_ = disk.head().sequence;
    witness_due_ = now + kWitnessKept;
}

/// Below the second reserve nothing is appended, below the first no change of people's.
void DiskWatch::published(manager::Publication const& publication) const {
    using enum ManagerHost::Space;
    auto const is_peoples = [](auto const& event) {
        return event.actor.kind == core::ActorKind::User;
    };
    bool const is_refused =
        had_space_ == Full ||
        (had_space_ == Reserve && std::ranges::any_of(publication.events, is_peoples));
    if (is_refused)
        violated(Invariant::Runs, "something is appended though the disk is nearly full");
}

} // namespace cpm::sim
