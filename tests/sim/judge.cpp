#include "tests/sim/judge.hpp"

#include "core/evolve.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

using core::HeartbeatStatus;
using core::PowerStatus;
using core::to_string;

constexpr Time kLate = 100ms;
constexpr std::size_t kOrdersKept = 64;
constexpr std::size_t kLossesKept = 8;
constexpr Time kEngineCompared = 30s;

} // namespace

Book::Identity* Book::find(core::BootIdentity const& identity) {
    auto const at = std::ranges::find(identities, identity, &Identity::identity);
    return at == identities.end() ? nullptr : &*at;
}

Time Judge::decided_at(core::MonoTime mono) const {
    return mono.time_since_epoch() - world_.manager().clock().mono_base;
}

// --- the manager's lives

void Judge::manager_starts() {
    unconfirmed_ = world_.manager().disk().content().unconfirmed;
    wall_at_start_ = world_.manager().clock().wall;
    live_now_ = serves_ = false;
    disk_.manager_starts();
    reading_.wakes.begin_life();
}

/// The batch of its start has been published.
void Judge::manager_serves(Time armed) {
    if (!(world_.manager().service()->fleet() == reading_.fold))
        violated(Invariant::ReplayIsLive, "what a start made of the log is not what it says");
    keep();
    auto const now = world_.schedule().now();
    // A step of the clock while the start was being written came after the start had read it.
    auto const& clock = world_.manager().clock();
    auto const passed = std::chrono::duration_cast<std::chrono::microseconds>(now - armed);
    auto const wall = clock.now().wall - (clock.wall - wall_at_start_) - passed;
    serves_ = true;
    free_since_ = now;
    for (auto& [id, book] : reading_.books) {
        if (book.silence)
            book.silence->at = armed + book.silence->length;
        if (!book.standby)
            continue;
        auto const left = book.request->at + book.request->standby - wall;
        book.standby->at = armed + std::clamp<Time>(left, 0s, book.request->standby);
    }
    reading_.wakes.begin(reading_.second, armed);
    check_kept();
    compare_engine();
    afterwards_.manager_serves();
}

void Judge::manager_ended() {
    serves_ = false;
    turned_.reset();
}

void Judge::history_was_lost() {
    lost_.emplace_back(world_.schedule().now(), reading_);
    if (lost_.size() > kLossesKept)
        lost_.pop_front();
    served_is_kept_ = false;
    reports_.clear();
    told_.clear();
    accepted_.clear();
    wanted_on_.clear();
}

void Judge::manager_turns(Time free_since, bool listening) {
    was_rolled_back_ = is_rolled_back();
    disk_.manager_turns(world_.manager().space());
    free_since_ = free_since;
    listening_ = listening;
    auto const now = world_.schedule().now();
    if (turned_ && now - checked_ >= 5s) {
        checked_ = now;
        check_overdue(*turned_);
    }
    turned_.reset();
    if (!world_.manager().is_full())
        turned_ = now;
    if (listening)
        return;
    reading_.wakes.was_away(now);
    for (auto& [id, book] : reading_.books)
        if (book.silence)
            book.silence->at = now + book.silence->length;
}

void Judge::manager_turned(manager::Engine const& engine, std::size_t held, std::size_t queued) {
    auto const machines = world_.machines().size();
    if (engine.timers() > 4 * reading_.books.size())
        violated(Invariant::NothingGrows, fmt::format("{} timers", engine.timers()));
    if (held > 64 * machines || queued > 64 * machines)
        violated(Invariant::NothingGrows, fmt::format("{} calls held, {} queued", held, queued));
    auto const now = world_.schedule().now();
    disk_.manager_turned(world_.manager().disk(), now);
    if (now - compared_ >= kEngineCompared)
        compare_engine();
}

/// What was due when a round began should have become an event of it: all it came to is known now.
void Judge::check_overdue(Time began) const {
    auto const is_over = [&](auto const& deadline) {
        return deadline && deadline->at + kLate < began;
    };
    for (auto const& [id, book] : reading_.books) {
        if (is_over(book.silence))
            violated(Invariant::DeadlinesOnTime, "a silence was not noticed: " + to_string(id));
        if (is_over(book.standby))
            violated(Invariant::DeadlinesOnTime, "a standby time did not elapse: " + to_string(id));
    }
    reading_.wakes.check_overdue(began);
}

void Judge::published(manager::Publication const& publication, Time durable) {
    if (publication.events.empty())
        return;
    if (!live_now_) { // the first batch of this life
        catch_up({publication.events.front().sequence.value - 1});
        served_is_kept_ = live_now_ = true;
    }
    bool const accepts = std::ranges::any_of(publication.events, [](auto const& event) {
        return std::holds_alternative<core::RollbackAccepted>(event.payload);
    });
    reading_.second.doubt_orders(was_rolled_back_ || accepts || is_rolled_back());
    auto const decided = decided_at(publication.now.mono);
    if (serves_)
        disk_.published(publication);
    for (auto const& event : publication.events) {
        if (event.sequence != reading_.head.next())
            violated(Invariant::ReplayIsLive, "an event was published out of its order");
        if (!(read(event.sequence) == event))
            violated(
                Invariant::ReplayIsLive,
                fmt::format("event {} is not what was published", event.sequence.value)
            );
        check_said(event);
        enter(event, durable, decided);
        if (world_.journal().tells())
            tell(event);
    }
    end_decision();
    reading_.wakes.check_recorded();
    compare_served(publication);
}

void Judge::tell(core::Event const& event) const {
    auto const* server = reading_.fold.find(event.server);
    world_.journal().tell(
        "  event {} {} {} {}",
        event.sequence.value,
        core::type_name(event.payload),
        server ? server->config.name : "",
        event.actual ? to_string(*event.actual) : ""
    );
}

// --- the books

/// Each event of the log comes here once, in its order.
void Judge::enter(core::Event const& event, Time durable, Time decided) {
    if (event.decision != decision_)
        end_decision();
    decision_ = event.decision;
    decides_for_ = event.server;
    note(event, durable, decided);
    bool const is_doubtful = !live_now_ && unconfirmed_ && event.sequence >= *unconfirmed_;
    reading_.guards.enter(event, !is_doubtful);
    reading_.second.take(event);
    reading_.wakes.enter(event, reading_.second, decided, live_now_);
    core::evolve(reading_.fold, event);
    reading_.transitions.add(event);
    reading_.head = event.sequence;
    reading_.hash = *world_.manager().disk().hash_of(event.sequence);
}

void Judge::end_decision() {
    if (decides_for_ && reading_.books[decides_for_].must_adopt)
        violated(
            Invariant::NewOnWins, "a new boot's ON was not adopted: " + to_string(decides_for_)
        );
    decides_for_ = {};
    decision_ = {};
    reading_.second.close();
}

void Judge::note(core::Event const& event, Time durable, Time decided) {
    auto const& payload = event.payload;
    if (std::holds_alternative<core::RollbackAccepted>(payload)) {
        was_rolled_back_ = false;
        for (auto& [id, book] : reading_.books)
            if (book.request)
                book.request->was_reporting = false;
    }
    if (!event.server)
        return;
    auto& book = reading_.books[event.server];
    if (book.must_adopt && !std::holds_alternative<core::PowerAdopted>(payload))
        violated(
            Invariant::NewOnWins, "a new boot's ON was not adopted: " + to_string(event.server)
        );
    book.must_adopt = false;
    if (auto const* heard = std::get_if<core::HeartbeatReceived>(&payload))
        enter(book, *heard, event, durable);
    else if (auto const* lost = std::get_if<core::HeartbeatLost>(&payload))
        enter(book, *lost, event, decided);
    else if (auto const* made = std::get_if<core::PowerRequested>(&payload))
        enter(book, *made, event, decided);
    else if (auto const* order = std::get_if<core::OrderSent>(&payload))
        enter(book, *order, event, durable, decided);
    else if (auto const* end = std::get_if<core::StandbyElapsed>(&payload))
        elapsed(book, *end, event, decided);
    else if (std::holds_alternative<core::StandbyReleased>(payload)) {
        book.standby.reset();
        if (book.request)
            book.request->is_open = false;
    } else if (std::holds_alternative<core::PowerAdopted>(payload)) {
        book.power = PowerStatus::On;
        book.request.reset();
        book.standby.reset();
    } else if (auto const* back = std::get_if<core::PowerWithdrawn>(&payload)) {
        bool const was_doubtful = !live_now_ || (unconfirmed_ && back->request >= *unconfirmed_);
        if (!was_doubtful || accepted_.contains(back->request))
            violated(
                Invariant::AnsweredIsKept,
                fmt::format("request {} was accepted, and is taken back", back->request.value)
            );
        book.taken_back.insert(back->request);
        book.power = back->power;
        book.request.reset();
        book.standby.reset();
        // Reports that came after the request are taken back with it (1.4).
        book.reporting = back->current != HeartbeatStatus::None;
        if (!book.reporting)
            book.silence.reset();
        else if (!book.silence)
            book.silence = {book.last_heartbeat, durable + book.timeout, book.timeout};
        if (back->restored) {
            auto const before = book.requests.find(back->restored->sequence);
            if (before == book.requests.end())
                violated(Invariant::ReplayIsLive, "a request that never was is restored");
            book.request = before->second;
            book.request->was_reporting = false;
            book.request->is_open = back->restored->standby == core::Standby::Open;
            if (book.request->is_open)
                book.standby = {book.request->sequence, {}, book.request->standby};
        }
    } else if (std::holds_alternative<core::AgentJoined>(payload)) {
        book.identities.clear();
        book.recorded.reset();
    }
}

void Judge::enter(
    Book& book, core::HeartbeatReceived const& heard, core::Event const& event, Time durable
) {
    if (heard.identity) {
        auto* known = book.find(*heard.identity);
        bool const is_new = !known;
        if (is_new) {
            book.identities.push_back({*heard.identity, event.sequence, std::nullopt});
            known = &book.identities.back();
        }
        if (known->report && heard.report && *heard.report <= *known->report)
            violated(
                Invariant::AnsweredIsKept,
                "a report is in the log twice: " + to_string(event.server)
            );
        known->report = heard.report;
        auto& counted = book.counted[*heard.identity];
        counted = std::max(counted, heard.report.value_or(0));
        if (is_new && heard.status == HeartbeatStatus::On && book.power == PowerStatus::Off)
            book.must_adopt = true;
        if (book.recorded != heard.identity && book.request)
            book.request->was_reporting = false; // another identity ends an order
        book.recorded = heard.identity;
    }
    book.reporting = true;
    book.last_heartbeat = event.sequence;
    book.timeout = heard.timeout;
    book.silence = {event.sequence, durable + book.timeout, book.timeout};
}

void Judge::enter(
    Book& book, core::HeartbeatLost const& lost, core::Event const& event, Time decided
) {
    if (!book.reporting || lost.heartbeat != book.last_heartbeat)
        violated(
            Invariant::SilenceIsEvidence,
            "a heartbeat was judged lost that is not the last one: " + to_string(event.server)
        );
    if (live_now_ && serves_) {
        if (decided < book.silence->at)
            violated(
                Invariant::SilenceIsEvidence,
                fmt::format(
                    "silence was judged {} ms early: {}",
                    (book.silence->at - decided).count() / 1'000'000,
                    to_string(event.server)
                )
            );
        check_lateness(book.silence->at, decided, "silence");
    }
    book.reporting = false;
    book.silence.reset();
}

void Judge::check_lateness(Time due, Time decided, std::string const& what) const {
    if (decided - std::max(due, free_since_) > kLate)
        violated(
            Invariant::DeadlinesOnTime,
            fmt::format("{} was decided {} ms late", what, (decided - due).count() / 1'000'000)
        );
}

void Judge::enter(
    Book& book, core::PowerRequested const& made, core::Event const& event, Time decided
) {
    if (live_now_ && was_rolled_back_)
        violated(Invariant::GuardsHold, "a request while the log is rolled back");
    book.power = made.target;
    book.request =
        Book::Request{event.sequence, made.target, book.reporting, event.at, made.standby, true};
    if (live_now_)
        book.request->made = world_.schedule().now();
    book.requests[event.sequence] = *book.request;
    book.standby = {event.sequence, decided + made.standby, made.standby};
}

void Judge::enter(
    Book& book, core::OrderSent const& order, core::Event const& event, Time durable, Time decided
) {
    auto const& request = book.request;
    auto const fine = request && request->sequence == order.request &&
                      request->target == PowerStatus::Off && book.power == PowerStatus::Off;
    if (!fine)
        violated(
            Invariant::NoOffWithoutRequest,
            fmt::format("an order for request {} that does not stand", order.request.value)
        );
    if (live_now_ && was_rolled_back_)
        violated(Invariant::NoOffWithoutRequest, "an order while the log is rolled back");
    if (!request->was_reporting)
        violated(
            Invariant::NoOffWithoutRequest,
            fmt::format("an order for request {}, made when nobody reported", order.request.value)
        );
    if (!order.identity || order.identity != book.recorded || order.nonce.empty())
        violated(Invariant::OrderFitsOneAct, "an order for another identity than the recorded one");
    // Said here and not of the act: a join meanwhile, of another machine, forgets the identities.
    auto const* identity = book.find(*order.identity);
    if (!identity || order.request < identity->first)
        violated(
            Invariant::NewOnWins,
            fmt::format(
                "an order for request {}, made before this boot or resume had reported",
                order.request.value
            )
        );
    // Its time has passed, and the timer could have said so.
    bool const is_over = book.standby && live_now_ && serves_ && decided > book.standby->at;
    if (is_over && (!listening_ || decided - std::max(book.standby->at, free_since_) > kLate))
        violated(
            Invariant::NoOffWithoutRequest,
            fmt::format("an order for request {}, whose time is over", order.request.value)
        );
    book.orders.push_back({event.sequence, order.request, *order.identity, order.nonce, durable});
    if (book.orders.size() > kOrdersKept)
        book.orders.pop_front();
}

void Judge::elapsed(
    Book& book, core::StandbyElapsed const& event, core::Event const& of, Time decided
) {
    if (!book.standby || book.standby->about != event.request)
        violated(
            Invariant::DeadlinesOnTime, "a standby time elapsed twice: " + to_string(of.server)
        );
    if (live_now_ && event.late == serves_)
        violated(Invariant::DeadlinesOnTime, "a standby time that elapsed says wrongly when");
    if (live_now_ && serves_) {
        if (decided < book.standby->at)
            violated(Invariant::DeadlinesOnTime, "a standby time elapsed early");
        check_lateness(book.standby->at, decided, "the end of a standby time");
    }
    book.standby.reset();
    book.request->is_open = false;
}

} // namespace cpm::sim
