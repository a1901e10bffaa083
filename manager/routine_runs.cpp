#include "manager/routine_runs.hpp"

#include <utility>

namespace cpm::manager {
namespace {

/// The state follows from two equal reports in a row, whatever it was before: a third one changes
/// nothing.
constexpr std::uint64_t kSettled = 2;

} // namespace

void RoutineRuns::add(core::Event const& event, core::Hash const& hash) {
    auto const verdict = judge(event);
    entries_.push_back({event.sequence, hash, verdict});
    settle();
}

RoutineRuns::Verdict RoutineRuns::judge(core::Event const& event) {
    if (auto const* heartbeat = std::get_if<core::HeartbeatReceived>(&event.payload))
        return judge_heartbeat(event, *heartbeat);
    // What the process does ends answers and orders: the next "Stopping" may bring one back.
    if (core::family_of(event.payload) == core::Family::Process)
        for (auto& [id, track] : tracks_)
            if (track.said.status == core::HeartbeatStatus::Stopping)
                track.times = 0;
    if (auto const found = tracks_.find(event.server); found != tracks_.end()) {
        decide(found->second, Verdict::Stays);
        tracks_.erase(found);
    }
    return Verdict::Stays;
}

RoutineRuns::Verdict
RoutineRuns::judge_heartbeat(core::Event const& event, core::HeartbeatReceived heartbeat) {
    auto& track = tracks_[event.server];
    bool const has_report = heartbeat.report.has_value();
    bool const takes_its_place = !track.has_report || (has_report && heartbeat.identity);
    decide(track, takes_its_place ? Verdict::Goes : Verdict::Stays);

    bool const tells_more = !heartbeat.agent_version.empty() || !heartbeat.address.empty();
    heartbeat.report.reset();
    heartbeat.agent_version.clear();
    heartbeat.address.clear();
    bool const is_same = track.times > 0 && heartbeat == track.said;
    bool const is_routine =
        is_same && track.times >= kSettled && !tells_more && event.decision == event.sequence;
    track.times = is_same ? track.times + 1 : 1;
    if (!is_same)
        track.said = std::move(heartbeat);
    if (!is_routine)
        return Verdict::Stays;
    track.undecided = settled_ + entries_.size() + 1;
    track.has_report = has_report;
    return Verdict::Undecided;
}

void RoutineRuns::decide(Track& track, Verdict verdict) {
    auto const number = std::exchange(track.undecided, 0);
    if (number > settled_) // else too many waited for it
        entries_[number - settled_ - 1].verdict = verdict;
}

/// Passes on what is decided, in order.
void RoutineRuns::settle() {
    while (!entries_.empty()) {
        auto& entry = entries_.front();
        if (entry.verdict == Verdict::Undecided && entries_.size() > kMostUndecided)
            entry.verdict = Verdict::Stays;
        if (entry.verdict == Verdict::Undecided)
            return;
        if (entry.verdict == Verdict::Goes)
            extend(entry);
        else
            close();
        before_ = entry;
        entries_.pop_front();
        ++settled_;
    }
}

void RoutineRuns::extend(Entry const& entry) {
    bool const follows = before_.sequence.next() == entry.sequence;
    if (!follows || run_.count == kMost)
        close();
    if (run_.count == 0) {
        if (!follows) // what it follows is not known
            return;
        run_.first = entry.sequence;
        run_.prev_hash = before_.hash;
    }
    run_.last = entry.sequence;
    run_.last_hash = entry.hash;
    ++run_.count;
}

void RoutineRuns::close() {
    if (run_.count >= kLeast)
        ready_.push_back(run_);
    run_ = {};
}

std::optional<core::HeartbeatsCompacted> RoutineRuns::take() {
    if (ready_.empty())
        return std::nullopt;
    auto const run = ready_.front();
    ready_.pop_front();
    return run;
}

} // namespace cpm::manager
