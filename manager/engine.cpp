#include "manager/engine.hpp"

#include "core/evolve.hpp"
#include "eventstore/fault_point.hpp"
#include "manager/wake_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace cpm::manager {
namespace {

core::Actor const kTimer{core::ActorKind::Timer, {}};
core::Actor const kPolicy{core::ActorKind::Policy, {}};

core::Error no_space() {
    return {
        core::ErrorCode::NoSpace,
        "the disk of the event log is nearly full: free some space, then try again",
    };
}

/// What is left of a standby time that began at `began`; a wrong clock is harmless (1.5).
core::milliseconds
remaining_at_start(core::WallTime began, core::seconds standby, core::WallTime now) {
    auto const left = std::chrono::ceil<core::milliseconds>(began + standby - now);
    return std::clamp<core::milliseconds>(left, core::milliseconds{0}, standby);
}

} // namespace

Engine::Engine(EngineParts parts)
    : parts_(std::move(parts))
    , deadlines_(parts_.clock.now().mono)
    , waker_(parts_.sender)
    , compaction_(parts_.log, parts_.clock)
    , report_limits_(parts_.reports_ahead)
    , remaining_([this](core::ServerId server) { return standby_remaining(server); })
    , mark_rolled_back_([this](std::string_view why, std::uint64_t witnessed_epoch) {
        rolled_back_ = true;
        return parts_.log.mark_rolled_back(why, witnessed_epoch);
    }) {}

// --- the start

core::Result<void> Engine::start() {
    readiness_ = Readiness::Verifying;
    auto const doubtful = replay();
    if (!doubtful)
        return tl::make_unexpected(doubtful.error());
    rolled_back_ = parts_.log.rolled_back().has_value();

    auto const now = parts_.clock.now();
    watch_space();
    if (space_ == SpaceLevel::Full)
        return tl::make_unexpected(no_space());
    auto turn = begin_turn(now);
    decide_start(turn, *doubtful);
    if (auto stored = commit(turn); !stored)
        return stored;
    if (auto cleared = parts_.log.clear_unconfirmed(); !cleared)
        return cleared;
    if (auto begun = compaction_.begin(); !begun)
        return begun;
    // From here on, not from when the start began: writing it may have taken long.
    arm_after_start(parts_.clock.now());
    readiness_ = present_readiness();
    return {};
}

/// Begins with the newest snapshot that counts; the first event that is still to be read.
core::Sequence Engine::begin_with_snapshot() {
    if (!parts_.snapshots)
        return {1};
    // A doubtful request is taken back to the server as it was before: no snapshot may hide that.
    auto restored =
        restore(parts_.log, *parts_.snapshots, parts_.log.unconfirmed_from(), parts_.report);
    if (restored.sequence) {
        fleet_ = restored.fold.fleet();
        parts_.subscriber.on_restored(std::move(restored.fold));
        parts_.report(fmt::format(
            "begins with the snapshot at event {}; {} events come after it",
            restored.sequence.value,
            parts_.log.head().sequence.value - restored.sequence.value
        ));
    }
    return restored.sequence.next();
}

core::Result<std::vector<Engine::Doubtful>> Engine::replay() {
    auto const first = begin_with_snapshot();
    auto const unconfirmed = parts_.log.unconfirmed_from();
    std::vector<Doubtful> doubtful;
    auto const visit = [&](eventstore::StoredEvent const& stored) {
        auto const& event = stored.event;
        bool const is_request = std::holds_alternative<core::PowerRequested>(event.payload);
        auto const* server = fleet_.find(event.server);
        if (unconfirmed && event.sequence >= *unconfirmed && is_request && server)
            doubtful.push_back({event.server, event.sequence, server->state});
        // An earlier start took it back, and died before it could forget the note.
        if (auto const* withdrawn = std::get_if<core::PowerWithdrawn>(&event.payload))
            std::erase_if(doubtful, [&](auto const& one) {
                return one.request == withdrawn->request;
            });
        core::evolve(fleet_, event);
        parts_.subscriber.on_history(event);
        return true;
    };
    if (auto read = parts_.log.read(first, parts_.log.head().sequence, visit); !read)
        return tl::make_unexpected(read.error());

    core::Result<void> loaded;
    auto const load = [&](eventstore::Table table, auto& into) {
        auto const read = parts_.log.read_table(table, [&](auto key, auto value) {
            eventstore::RecordChange const record{table, std::string(key), std::string(value)};
            if (auto applied = into.apply(record); !applied && loaded)
                loaded = applied;
            parts_.subscriber.on_record(record);
        });
        if (!read && loaded)
            loaded = read;
    };
    load(eventstore::Table::Accounts, accounts_);
    load(eventstore::Table::Idempotency, idempotency_);
    if (!loaded)
        return tl::make_unexpected(loaded.error());
    return doubtful;
}

void Engine::decide_start(Turn& turn, std::vector<Doubtful> const& doubtful) {
    turn.record_one({}, core::ManagerStarted{parts_.version}, kPolicy);
    std::set<core::Sequence> taken_back;
    // Newest first, so that a server with two of them ends as it was before the older one.
    for (auto it = doubtful.rbegin(); it != doubtful.rend(); ++it) {
        if (!fleet_.find(it->server))
            continue;
        core::Payloads withdrawn;
        withdrawn.push_back(core::decide_withdrawal(it->before, it->request));
        turn.record(it->server, std::move(withdrawn), kPolicy, it->request);
        taken_back.insert(it->request);
    }
    // A repetition with the same Idempotency-Key must not be told that the request was accepted.
    if (!taken_back.empty())
        for (auto& record : idempotency_.forget(taken_back))
            turn.change(std::move(record));
    std::vector<core::ServerId> elapsed;
    for (auto const& [id, server] : fleet_.servers)
        if (core::standby_is_open(server.state) &&
            remaining_at_start(server.requested_at, server.standby, turn.now().wall).count() == 0)
            elapsed.push_back(id);
    elapse(turn, std::move(elapsed), true);
}

void Engine::arm_after_start(core::Now now) {
    suspended_ = parts_.clock.suspended();
    for (auto const& [id, server] : fleet_.servers) {
        relays_.note(server);
        auto const& state = server.state;
        // The manager heard nothing while it was down: silence counts from here.
        if (state.current != core::HeartbeatStatus::None)
            deadlines_.set(
                id, DeadlineKind::Silence, now.mono + server.heartbeat_timeout, state.last_heartbeat
            );
        if (!state.request)
            continue;
        auto const request = state.request->sequence;
        if (core::standby_is_open(state))
            deadlines_.set(
                id,
                DeadlineKind::Standby,
                now.mono + remaining_at_start(server.requested_at, server.standby, now.wall),
                request
            );
        bool const starting = state.actual == core::ActualStatus::Starting;
        if (!awaits_start(server) || (server.wakes.rounds > 0 && !starting))
            continue;
        core::milliseconds wait{0};
        if (server.wakes.rounds > 0)
            wait =
                remaining_at_start(server.wakes.last_at, wake_pause(server.wakes.rounds), now.wall);
        deadlines_.set(id, DeadlineKind::Wake, now.mono + wait, request);
    }
}

// --- rounds

Turn Engine::begin_turn(core::Now now) {
    return Turn(
        {fleet_,
         accounts_,
         idempotency_,
         parts_.random,
         waker_,
         relays_,
         report_limits_,
         parts_.own_macs,
         remaining_,
         mark_rolled_back_,
         rolled_back_,
         parts_.log.witnessed_epoch()},
        now,
        parts_.log.head().sequence
    );
}

core::Result<void>
Engine::round(std::span<std::unique_ptr<Job>> jobs, core::Now now, bool listening) {
    if (failure_) {
        for (auto const& job : jobs)
            job->answer(tl::make_unexpected(*failure_));
        return tl::make_unexpected(*failure_);
    }
    bool const was_full = space_ == SpaceLevel::Full;
    watch_space();
    bool const slept = note_suspend();
    bool const is_full = space_ == SpaceLevel::Full;
    if (!listening || slept || is_full)
        recount_silence(now.mono);

    auto turn = begin_turn(now);
    if ((!listening || slept || was_full) && !is_full)
        elapse_overdue(turn);
    std::vector<Job*> decided;
    decide_jobs(turn, jobs, decided);
    if (space_ != SpaceLevel::Full)
        decide_deadlines(turn);
    while (auto const range = may_compact() ? compaction_.take() : std::nullopt)
        turn.record_one({}, *range, kPolicy);
    auto const stored = commit(turn);
    readiness_ = present_readiness();
    for (auto* job : decided) {
        CPM_FAULT_POINT("answer");
        job->answer(stored);
    }
    if (!stored)
        return stored;
    compact(now);
    auto const kept = keep_witness(now.mono);
    readiness_ = present_readiness();
    return kept;
}

/// Not while the log is rolled back (people may have to look at it as it is), nor on a full disk.
bool Engine::may_compact() const {
    return !rolled_back_ && space_ != SpaceLevel::Full;
}

/// Comes last: nobody waits for it.
void Engine::compact(core::Now now) {
    if (!may_compact())
        return;
    auto const done = compaction_.work(fleet_.settings, now);
    if (!done && parts_.report)
        parts_.report(
            "heartbeats are no longer compacted away: " + done.error().detail +
            ". Check the log with cpm-replay verify"
        );
}

void Engine::decide_jobs(
    Turn& turn, std::span<std::unique_ptr<Job>> jobs, std::vector<Job*>& decided
) {
    decided.reserve(jobs.size());
    for (auto const& job : jobs) {
        bool const refused = space_ == SpaceLevel::Full ||
                             (space_ == SpaceLevel::Reserve && job->is_refused_first());
        if (refused)
            job->answer(tl::make_unexpected(no_space()));
        else {
            job->decide(turn);
            decided.push_back(job.get());
        }
    }
}

void Engine::decide_deadlines(Turn& turn) {
    due_.clear();
    deadlines_.take_due(turn.now().mono, due_);
    for (auto const& due : due_) {
        auto const* server = fleet_.find(due.server);
        if (!server)
            continue;
        switch (due.kind) {
        case DeadlineKind::Silence:
            turn.record(
                due.server, core::decide_silence(server->state, due.about), kTimer, due.about
            );
            break;
        case DeadlineKind::Standby:
            turn.record(
                due.server, core::decide_elapsed(server->state, due.about, false), kTimer, due.about
            );
            break;
        case DeadlineKind::Wake:
        case DeadlineKind::WakeTurn: decide_wake(turn, *server, due); break;
        }
    }
}

void Engine::decide_wake(Turn& turn, core::Server const& server, Due const& due) {
    if (!wants_wake(server) || server.state.request->sequence != due.about)
        return;
    auto const now = turn.now().mono;
    if (due.kind == DeadlineKind::Wake)
        if (auto const at = waker_.take_turn(now, fleet_.settings.wake_stagger); at > now) {
            deadlines_.set(server.id, DeadlineKind::WakeTurn, at, due.about);
            return;
        }
    send_wake(turn, server, kTimer);
}

core::Result<void> Engine::commit(Turn& turn) {
    if (failure_)
        return tl::make_unexpected(*failure_);
    auto& events = turn.events();
    auto& changes = turn.changes();
    if (events.empty() && changes.empty())
        return {};
    auto const after = parts_.log.head().sequence;
    auto const began = parts_.clock.now().mono;
    if (auto stored = parts_.log.append(after, events, changes); !stored) {
        failure_ = stored.error();
        return stored;
    }
    auto const append_time = parts_.clock.now().mono - began;
    for (auto const& event : events)
        arm(event, turn.now());

    auto publication = std::make_shared<Publication>();
    publication->events = std::move(events);
    publication->changes = std::move(changes);
    publication->wake_asks = relays_.take_changes();
    publication->head = parts_.log.head();
    publication->now = turn.now();
    publication->append_time = append_time;
    parts_.subscriber.on_published(std::move(publication));
    return {};
}

// --- the disk

void Engine::watch_space() {
    auto const free = parts_.log.free_bytes();
    auto const total = parts_.log.total_bytes();
    if (!free || !total)
        return;
    space_ = space_level(*free, space_limits(*total, parts_.space_reserve));
}

core::Result<void> Engine::keep_witness(core::MonoTime now) {
    // With rounds at least every 250 ms, this is at least every second.
    if (now - witness_kept_ < core::milliseconds{700})
        return {};
    witness_kept_ = now;
    return write_witness();
}

core::Result<void> Engine::write_witness() {
    auto kept = parts_.log.keep_witness();
    if (kept)
        return {};
    // On a full disk the log does not move either, and the next try is soon.
    watch_space();
    if (space_ == SpaceLevel::Full)
        return {};
    failure_ = kept.error();
    return kept;
}

core::Result<void> Engine::stop() {
    auto turn = begin_turn(parts_.clock.now());
    if (space_ != SpaceLevel::Full)
        turn.record_one({}, core::ManagerStopped{}, kPolicy);
    if (auto stored = commit(turn); !stored)
        return stored;
    return write_witness();
}

Readiness Engine::present_readiness() const {
    if (failure_)
        return failure_->code == core::ErrorCode::NoSpace ? Readiness::NoSpace : Readiness::Fenced;
    if (rolled_back_)
        return Readiness::RolledBack;
    return space_ == SpaceLevel::Plenty ? Readiness::Ok : Readiness::NoSpace;
}

} // namespace cpm::manager
