#include "tests/sim/service.hpp"

#include "http/agent_witness.hpp"

#include <algorithm>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

/// An engine without a due deadline is still asked so often: for the witness and the disk's space.
constexpr Time kIdle = 1s;

/// Snapshots come sooner than the product's, so that a short run has some: after so many events at
/// least, and of a longer log after a twentieth of it, but not after more than so many.
constexpr std::uint64_t kSnapshotEvery = 500;
constexpr std::uint64_t kSnapshotEveryAtMost = 2'000;
constexpr core::seconds kSnapshotsApart{60};
constexpr Time kKeeperTurn = 10s;
/// A log of so many events is read again behind every start, one of twice as many behind every
/// second one, and so on.
constexpr std::uint64_t kProvenAlways = 1'000;

bool ends_calls(core::Event const& event) {
    return std::holds_alternative<core::AgentRevoked>(event.payload) ||
           std::holds_alternative<core::AgentJoined>(event.payload) ||
           std::holds_alternative<core::AgentTokenRotated>(event.payload) ||
           std::holds_alternative<core::ServerRemoved>(event.payload);
}

bool touches_all(core::Event const& event) {
    return std::holds_alternative<core::SettingsChanged>(event.payload) ||
           std::holds_alternative<core::RollbackAccepted>(event.payload);
}

std::shared_ptr<Reply const> unchanged() {
    auto reply = std::make_shared<Reply>();
    reply->status = 304;
    return reply;
}

core::Error starting() {
    return {core::ErrorCode::Starting, "the manager is starting"};
}

} // namespace

Service::Service(ServiceParts parts, ServiceWatch& watch)
    : parts_(parts)
    , watch_(watch)
    , snapshots_(std::make_shared<SnapshotFiles>(parts.disk)) {}

core::Result<void> Service::start(bool accept_truncated) {
    auto log = Log::open(parts_.disk, parts_.disk_around, accept_truncated);
    if (!log)
        return tl::make_unexpected(log.error());
    log_ = std::move(*log);
    engine_ = std::make_unique<manager::Engine>(manager::EngineParts{
        .log = *log_,
        .sender = parts_.sender,
        .clock = parts_.clock,
        .random = parts_.random,
        .subscriber = *this,
        .own_macs = [] { return std::vector<core::MacAddress>{}; },
        .version = "sim",
        .space_reserve = std::nullopt,
        .snapshots = &snapshots_,
        .report = [this](std::string_view line) { watch_.reports(line); },
    });
    auto started = engine_->start();
    auto const now = parts_.schedule.now();
    busy_until_ = now + parts_.clock.ahead;
    parts_.clock.ahead = {};
    if (!started)
        return started;
    head_ = engine_->head();
    later(busy_until_, [this, armed = busy_until_] {
        serving_ = true;
        show(std::exchange(published_, {}));
        watch_.serves(armed);
        begin_snapshots();
        turn();
    });
    return {};
}

void Service::on_record(eventstore::RecordChange const& record) {
    if (auto applied = accounts_.apply(record); !applied)
        violated(Invariant::Runs, applied.error().detail);
}

bool Service::knows(core::ServerId server, core::Hash const& credential) const {
    auto const* agent = accounts_.find_agent_of(server);
    return agent && agent->secret == credential;
}

void Service::on_published(std::shared_ptr<manager::Publication const> publication) {
    seen_at_ = parts_.schedule.now() + parts_.clock.ahead;
    published_.push_back({std::move(publication), seen_at_});
}

void Service::later(Time at, std::function<void()> what) {
    parts_.schedule.at(at, [this, what = std::move(what), lives = std::weak_ptr(lives_)]() mutable {
        if (lives.expired())
            return;
        if (is_paused())
            later(paused_until_, std::move(what));
        else
            what();
    });
}

// --- the writer's thread

void Service::enqueue(std::unique_ptr<manager::Job> job) {
    queue_.push_back(std::move(job));
    plan(parts_.schedule.now());
}

bool Service::is_paused() const {
    return parts_.schedule.now() < paused_until_;
}

void Service::pause(Time until) {
    auto const now = parts_.schedule.now();
    if (!stopped_at_)
        stopped_at_ = now;
    paused_until_ = std::max(paused_until_, until);
    if (serving_)
        plan(paused_until_);
}

void Service::plan(Time at) {
    at = std::max({at, busy_until_, paused_until_});
    if (failed_ || at >= planned_)
        return;
    planned_ = at;
    if (at <= parts_.schedule.now() && serving_) {
        turn();
        return;
    }
    later(at, [this, at] {
        if (planned_ == at)
            turn();
    });
}

/// Turns without anything to do are left out: the last one that there would have been counts.
bool Service::was_listening() {
    auto const now = parts_.schedule.now();
    auto const until = stopped_at_.value_or(now);
    stopped_at_.reset();
    auto const idle = std::max(last_turn_, until - Time(manager::kTick));
    auto const turned = busy_until_ + manager::kTick <= until ? idle : last_turn_;
    auto const listened = until - Time(manager::kTick);
    return manager::was_listening(
        core::MonoTime{now}, core::MonoTime{turned}, core::MonoTime{listened}
    );
}

void Service::turn() {
    if (!serving_ || failed_)
        return;
    planned_ = Time::max();
    auto const now = parts_.schedule.now();
    bool const listening = !first_turn_ && was_listening();
    first_turn_ = false;
    last_turn_ = now;
    jobs_.clear();
    jobs_.swap(queue_);
    watch_.turns(std::max(busy_until_, paused_until_), listening);
    seen_at_ = now;
    auto const done = engine_->round(jobs_, parts_.clock.now(), listening);
    busy_until_ = now + parts_.clock.ahead;
    parts_.clock.ahead = {};
    flush();
    if (!done) {
        failed_ = true;
        later(busy_until_, [this, error = done.error()] { watch_.gave_up(error); });
        return;
    }
    watch_.turned(*engine_, held_.size(), jobs_.size());
    auto const due = engine_->next_due();
    auto const next = due ? due->time_since_epoch() - parts_.clock.mono_base : Time::max();
    plan(queue_.empty() ? std::min(next, now + kIdle) : now);
}

// --- the thread that makes snapshots

void Service::begin_snapshots() {
    auto const events = log_->head().sequence.value;
    keeper_ = std::make_unique<manager::SnapshotKeeper>(manager::SnapshotKeeper::Parts{
        .log = *log_,
        .store = snapshots_,
        .clock = parts_.clock,
        .report = [this](std::string_view line) { watch_.reports(line); },
        .on_failure = [](core::Error const& error
                      ) { violated(Invariant::ReplayIsLive, error.detail); },
        .every = std::clamp(events / 20, kSnapshotEvery, kSnapshotEveryAtMost),
        .apart = kSnapshotsApart,
    });
    // To fold the whole log behind every start is what a simulator cannot.
    keep_snapshots(parts_.dice.below(std::max<std::uint64_t>(events / kProvenAlways, 1)) == 0);
}

void Service::keep_snapshots(bool proves) {
    later(parts_.schedule.now() + kKeeperTurn, [this, proves] {
        if (failed_)
            return;
        bool const writes = parts_.schedule.now() < busy_until_; // what is not done is not read
        if (!writes)
            keeper_->turn(proves);
        keep_snapshots(proves && writes);
    });
}

// --- the interface's thread

void Service::then(std::function<void()> answer) {
    answers_.emplace_back(parts_.schedule.now() + parts_.clock.ahead, std::move(answer));
}

/// What a round came to is seen when its sync is over; an answer that did not wait for it, earlier.
void Service::flush() {
    auto const late = std::ranges::find_if(answers_, [this](auto const& answer) {
        return answer.first >= seen_at_;
    });
    if (late != answers_.begin()) {
        auto early = std::make_shared<Answers>(
            std::make_move_iterator(answers_.begin()), std::make_move_iterator(late)
        );
        answers_.erase(answers_.begin(), late);
        later(early->front().first, [this, early] { answer(*early); });
    }
    if (published_.empty() && answers_.empty())
        return;
    auto both = std::make_shared<std::pair<Published, Answers>>(
        std::exchange(published_, {}), std::exchange(answers_, {})
    );
    later(seen_at_, [this, both] {
        show(both->first);
        answer(both->second);
    });
}

void Service::show(Published const& published) {
    for (auto const& [publication, durable] : published) {
        for (auto const& event : publication->events)
            core::evolve(fleet_, event);
        for (auto const& change : publication->changes)
            on_record(change);
        for (auto const& [relay, asks] : publication->wake_asks)
            wake_asks_[relay] = asks;
        head_ = publication->head;
        watch_.published(*publication, durable);
    }
    for (auto const& batch : published)
        touch(*batch.publication);
}

void Service::answer(Answers const& answers) {
    auto const lives = std::weak_ptr(lives_);
    for (auto const& [at, tell] : answers)
        if (!lives.expired())
            tell();
}

void Service::receive(std::shared_ptr<Request const> const& request, ReplyTo reply) {
    if (is_paused()) { // it waits in the socket
        later(paused_until_, [this, request, reply = std::move(reply)] {
            receive(request, reply);
        });
        return;
    }
    if (!serving_)
        reply(refusal(starting()));
    else if (!knows(request->server, request->credential))
        reply(refusal({core::ErrorCode::NotSignedIn, "unknown token"}));
    else if (request->report())
        heartbeat(request, reply);
    else
        hold(request, std::move(reply));
}

void Service::heartbeat(std::shared_ptr<Request const> const& request, ReplyTo const& reply) {
    auto report = as_manager_reads(*request->report(), request->address);
    if (!report) {
        reply(refusal({core::ErrorCode::Validation, "not readable"}));
        return;
    }
    std::string why;
    auto const witness = witness_in(*request->report(), parts_.keys);
    if (witness)
        why = http::contradiction(*witness, head_, *log_);
    if (why.empty()) {
        count(std::move(*report), request, reply);
        return;
    }
    // Only when that is noted is the report decided, as the handler does.
    submit(
        manager::NoteRollback{witness->epoch, why},
        [this, request, reply, report = std::move(*report)](auto&& noted) {
            then([this,
                  request,
                  reply,
                  report,
                  noted = core::Result<void>(
                      noted ? core::Result<void>{} : tl::make_unexpected(noted.error())
                  )]() mutable {
                if (noted)
                    count(std::move(report), request, reply);
                else
                    reply(refusal(noted.error()));
            });
        }
    );
}

void Service::count(
    core::Report&& report, std::shared_ptr<Request const> const& request, ReplyTo reply
) {
    submit(
        manager::ReceiveHeartbeat{request->server, std::move(report)},
        [this, request, reply = std::move(reply)](core::Result<manager::ManifestOutcome>&& told) {
            then([this, request, reply, told = std::move(told)] {
                if (!told) {
                    reply(refusal(told.error()));
                    return;
                }
                watch_.answered(*request, *told);
                reply(as_agent_reads(*told, head_, parts_.keys));
            });
        }
    );
}

manager::ManifestOutcome Service::seen(core::Server const& server, core::Asker const& asker) const {
    bool const rolled_back = engine_->readiness() == manager::Readiness::RolledBack;
    auto manifest = core::manifest_for(server, fleet_.settings, asker, rolled_back);
    auto const asks = wake_asks_.find(server.id);
    auto asked = asks == wake_asks_.end()
                     ? std::vector<manager::WakeAsk>{}
                     : manager::handed_out(asks->second, parts_.clock.now().mono);
    return manager::make_manifest_outcome(server, std::move(manifest), std::move(asked));
}

void Service::hold(std::shared_ptr<Request const> const& request, ReplyTo reply) {
    auto const& question = std::get<agent::ManifestQuestion>(request->question);
    auto asker = as_manager_reads(question);
    if (!asker) {
        reply(refusal({core::ErrorCode::Validation, "not readable"}));
        return;
    }
    Held held{++holds_, request, std::move(*asker), question.known_version, std::move(reply)};
    if (look(held))
        return;
    auto const number = held.number;
    held_.push_back(std::move(held));
    later(parts_.schedule.now() + question.wait, [this, number] { expire(number); });
}

void Service::expire(std::uint64_t number) {
    auto const at = std::ranges::find(held_, number, &Held::number);
    if (at == held_.end())
        return;
    auto const reply = std::move(at->reply);
    held_.erase(at);
    reply(unchanged());
}

bool Service::look(Held const& held) {
    auto const* server = fleet_.find(held.request->server);
    if (!server) {
        held.reply(refusal({core::ErrorCode::Gone, "removed"}));
        return true;
    }
    auto const now = seen(*server, held.asker);
    if (now.version == held.known)
        return false;
    if (now.manifest.power_status == core::PowerStatus::On)
        held.reply(as_agent_reads(now, head_, parts_.keys));
    else
        ask(held);
    return true;
}

void Service::ask(Held const& held) {
    submit(
        manager::AskManifest{held.request->server, held.asker},
        [this,
         request = held.request,
         reply = held.reply](core::Result<manager::ManifestOutcome>&& told) {
            then([this, request, reply, told = std::move(told)] {
                if (told)
                    watch_.answered(*request, *told);
                reply(told ? as_agent_reads(*told, head_, parts_.keys) : refusal(told.error()));
            });
        }
    );
}

void Service::touch(manager::Publication const& publication) {
    if (held_.empty())
        return;
    bool const all = std::ranges::any_of(publication.events, touches_all);
    for (auto const& event : publication.events)
        if (ends_calls(event))
            end(event.server);
    auto const is_touched = [&](Held const& held) {
        auto const server = held.request->server;
        return all || std::ranges::count(publication.events, server, &core::Event::server) > 0 ||
               std::ranges::any_of(publication.wake_asks, [&](auto const& asks) {
                   return asks.first == server;
               });
    };
    // What is answered may come back at once, to the end of the list.
    for (std::size_t i = 0; i < held_.size();) {
        if (!is_touched(held_[i]) || !look(held_[i]))
            ++i;
        else
            held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

void Service::end(core::ServerId server) {
    for (std::size_t i = 0; i < held_.size();) {
        if (held_[i].request->server != server) {
            ++i;
            continue;
        }
        auto const held = std::move(held_[i]);
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
        held.reply(refusal({core::ErrorCode::NotSignedIn, "revoked or replaced"}));
    }
}

} // namespace cpm::sim
