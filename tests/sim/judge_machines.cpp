// What machines did and people were told, against what the log says.
#include "tests/sim/judge.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

using core::HeartbeatStatus;
using core::PowerStatus;

constexpr Time kNonceLife = 90s;
constexpr std::size_t kAskedKept = 32;
constexpr std::size_t kSaidKept = 1000;
/// Answers are kept for 24 h; one that was told again is up to as old, and whatever was older than
/// 24 h then was forgotten with it. And what it may take from being asked to being decided.
constexpr std::chrono::hours kRememberedAtMost{49};
constexpr std::size_t kAccountsAtMost = 100; ///< people and tokens of the world
constexpr std::size_t kSnapshotsAtMost = 3;  ///< the newest two, and one being written

core::BootIdentity identity_of(Machine const& machine) {
    return {core::parse_boot_id(machine.boot_id()).value(), machine.resumes()};
}

} // namespace

// --- answers

void Judge::answered(Request const& request, manager::ManifestOutcome const& outcome) {
    if (outcome.manifest.notice == core::Notice::Ignored)
        return;
    auto const& report = *request.report();
    core::BootIdentity const identity{
        core::parse_boot_id(report.identity.boot_id).value(), report.identity.resume_count};
    auto const& counted = reading_.books[request.server].counted;
    auto const known = counted.find(identity);
    auto const number = static_cast<std::uint64_t>(report.report.count());
    auto const& orders = reading_.books[request.server].orders;
    if (outcome.manifest.power_status == PowerStatus::Off &&
        std::ranges::find(orders, report.nonce, &Book::Order::nonce) == orders.end())
        violated(Invariant::NoOffWithoutRequest, "OFF was told, and no order is in the log");
    if (known == counted.end() || known->second < number)
        violated(Invariant::AnsweredIsKept, "a heartbeat was answered that is not in the log");
    auto& highest = reports_[{request.server, identity}];
    highest = std::max(highest, number);
}

void Judge::told_person(
    std::string const& key,
    std::string const& body,
    core::ServerId server,
    PowerStatus target,
    core::Sequence sequence
) {
    auto const [at, is_new] = told_.try_emplace(key, Told{body, server, target, sequence});
    if (!is_new && at->second.body != body)
        violated(Invariant::AnsweredIsKept, "the same key was answered twice, differently");
    if (!is_new || !sequence)
        return;
    auto const& requests = reading_.books[server].requests;
    auto const request = requests.find(sequence);
    if (request == requests.end() || request->second.target != target)
        violated(
            Invariant::AnsweredIsKept,
            fmt::format("request {} was accepted, and is not in the log", sequence.value)
        );
    // When it was made: this may be an answer of before, told again.
    auto const made = made_.find({server, sequence});
    if (target == PowerStatus::On && made != made_.end())
        wanted_on_[server] = std::max(wanted_on_[server], made->second);
}

void Judge::told_with_key(core::WallTime asked) {
    std::erase_if(keyed_, [&](auto at) { return at < asked - kRememberedAtMost; });
    auto const& content = world_.manager().disk().content();
    if (content.tables.size() > keyed_.size() + kAccountsAtMost)
        violated(
            Invariant::NothingGrows,
            fmt::format(
                "{} records in the tables, and {} answers to remember",
                content.tables.size(),
                keyed_.size()
            )
        );
    if (content.snapshots.size() > kSnapshotsAtMost)
        violated(Invariant::NothingGrows, fmt::format("{} snapshots", content.snapshots.size()));
}

/// After a start: what was answered before it is in the log that was read.
void Judge::check_kept() {
    for (auto const& [whose, number] : reports_) {
        auto const& counted = reading_.books[whose.first].counted;
        auto const known = counted.find(whose.second);
        if (known == counted.end() || known->second < number)
            violated(Invariant::AnsweredIsKept, "a heartbeat was answered, and is gone");
    }
    for (auto const& [key, told] : told_) {
        auto const& requests = reading_.books[told.server].requests;
        auto const request = requests.find(told.sequence);
        if (told.sequence && (request == requests.end() || request->second.target != told.target))
            violated(
                Invariant::AnsweredIsKept,
                fmt::format("request {} was accepted, and is gone", told.sequence.value)
            );
    }
}

// --- machines

Witnessed& Judge::witness(Machine const& machine) {
    auto const number = machine.build().number;
    if (witnessed_.size() <= number)
        witnessed_.resize(number + 1);
    auto& seen = witnessed_[number];
    if (seen.boot != machine.boot_id() || seen.resumes != machine.resumes())
        seen = {machine.boot_id(), machine.resumes(), {}, false};
    return seen;
}

void Judge::asked(Machine const& machine, Request const& request) {
    auto const* report = request.report();
    bool const stopping = report && report->status == HeartbeatStatus::Stopping;
    if (report) {
        afterwards_.asked(machine);
        auto& said = said_[request.server];
        auto const number = static_cast<std::uint64_t>(report->report.count());
        said.push_back(
            {identity_of(machine), number, report->status, report->blocked_by, report->leaving}
        );
        if (said.size() > kSaidKept)
            said.pop_front();
    }
    auto& seen = witness(machine);
    if (report && !stopping)
        seen.hooks_ended = false;
    if (!stopping)
        return;
    seen.asked.push_back({report->nonce, world_.schedule().now(), seen.hooks_ended, 0});
    if (seen.asked.size() > kAskedKept)
        seen.asked.erase(seen.asked.begin());
}

/// What the log says that an agent said, its machine did say.
void Judge::check_said(core::Event const& event) const {
    auto const* heard = std::get_if<core::HeartbeatReceived>(&event.payload);
    auto const* ignored = std::get_if<core::ReportIgnored>(&event.payload);
    if (!heard && !ignored)
        return;
    auto const& identity = heard ? heard->identity : ignored->identity;
    auto const report = heard ? heard->report : ignored->report;
    auto const& all = said_.at(event.server);
    auto const said = std::find_if(all.rbegin(), all.rend(), [&](Said const& one) {
        return one.report == report && one.identity == identity;
    });
    bool const is_same = said != all.rend() &&
                         said->status == (heard ? heard->status : ignored->status) &&
                         (!heard || (heard->blocked_by == said->blocked_by &&
                                     agent::to_string(said->leaving) == to_string(heard->leaving)));
    if (!is_same)
        violated(
            Invariant::StatusAsTheModelSays,
            fmt::format("event {} is a report that no machine made", event.sequence.value)
        );
}

void Judge::heard(Machine const& machine, Reply const& reply) {
    if (reply.status != 200 || !reply.answer.order)
        return;
    auto& asked = witness(machine).asked;
    auto const at = std::ranges::find(asked, reply.answer.order->nonce, &Asked::nonce);
    if (at != asked.end())
        at->order = reply.answer.order->sequence;
}

void Judge::hooks_ended(Machine const& machine) {
    witness(machine).hooks_ended = true;
}

void Judge::acted(Machine const& machine, std::uint64_t number) {
    ++acts_;
    auto const server = machine.joined()->server;
    auto const now = world_.schedule().now();
    auto const where = fmt::format("m{} for request {}", machine.build().number, number);
    auto const& seen = witness(machine);
    auto const is_answer = [&](Asked const& asked) { return asked.order == number; };
    auto const last = std::find_if(seen.asked.rbegin(), seen.asked.rend(), is_answer);
    if (last == seen.asked.rend() || !last->after_hooks)
        violated(Invariant::OrderFitsOneAct, where + " acted without asking again after its hooks");
    if (now - last->at > kNonceLife + 1s)
        violated(Invariant::OrderFitsOneAct, where + " acted on an order older than 90 s");
    bool const twice = std::any_of(std::next(last), seen.asked.rend(), is_answer);
    if (!twice)
        violated(Invariant::OrderFitsOneAct, where + " acted on a single order");

    auto& book = reading_.books[server];
    auto const order = std::ranges::find(book.orders, last->nonce, &Book::Order::nonce);
    if (order == book.orders.end())
        violated(Invariant::NoOffWithoutRequest, where + ": the order is not in the log");
    if (order->request.value != number || order->identity != identity_of(machine))
        violated(Invariant::OrderFitsOneAct, where + ": the order was for another boot or resume");
    auto const request = book.requests.find({number});
    if (request == book.requests.end() || request->second.target != PowerStatus::Off)
        violated(Invariant::NoOffWithoutRequest, where + ": nobody asked for that");
    auto const* identity = book.find(order->identity);
    if (!identity || request->first < identity->first)
        violated(
            Invariant::NewOnWins, where + ": it was made before this boot or resume had reported"
        );
    auto const made = made_.find({server, {number}});
    auto const on = wanted_on_.find(server);
    if (made != made_.end() && on != wanted_on_.end() && on->second > made->second &&
        on->second < order->given)
        violated(Invariant::NoOffWithoutRequest, where + ": ON was accepted after it");
}

void Judge::changed(Machine const& machine) {
    afterwards_.changed(machine);
}

} // namespace cpm::sim
