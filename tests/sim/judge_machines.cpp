// What machines did and people were told, against what the log says.
#include "core/hex.hpp"
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
/// Of a server, by all who speak for it: the report of a machine that slept for long comes again.
constexpr std::size_t kSaidKept = 20'000;
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
    auto const& orders = reading_.books[request.server].orders;
    auto const& order = outcome.manifest.order;
    bool const is_off = outcome.manifest.power_status == PowerStatus::Off;
    if (is_off &&
        (!order || std::ranges::find(orders, order->nonce, &Book::Order::nonce) == orders.end()))
        violated(Invariant::NoOffWithoutRequest, "OFF was told, and no order is in the log");
    if (!request.report()) // a held call
        return;
    check_witness(*request.report());
    if (outcome.manifest.notice == core::Notice::Ignored)
        return;
    auto const& report = *request.report();
    core::BootIdentity const identity{
        core::parse_boot_id(report.identity.boot_id).value(), report.identity.resume_count};
    auto const& counted = reading_.books[request.server].counted;
    auto const known = counted.find(identity);
    auto const number = static_cast<std::uint64_t>(report.report.count());
    if (known == counted.end() || known->second < number)
        violated(Invariant::AnsweredIsKept, "a heartbeat was answered that is not in the log");
    auto& highest = reports_[{request.server, identity}];
    highest = std::max(highest, number);
}

/// An agent that knows more of the log than there is was not heard in vain: orders wait until
/// somebody accepts what was lost.
void Judge::check_witness(agent::Report const& report) const {
    auto const& disk = world_.manager().disk();
    auto const epoch = disk.content().epoch;
    if (!report.witness || report.witness->epoch < epoch || is_rolled_back())
        return;
    auto const& witness = *report.witness;
    auto const* there = disk.hash_of({witness.sequence});
    bool const is_other = there && core::to_hex(*there) != witness.hash;
    if (witness.epoch > epoch || witness.sequence > disk.size() || is_other)
        violated(
            Invariant::AnsweredIsKept,
            fmt::format(
                "an agent knows event {} of epoch {}, and nobody is asked in epoch {}",
                witness.sequence,
                witness.epoch,
                epoch
            )
        );
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
    accepted_.insert(sequence);
    if (reading_.books[server].taken_back.contains(sequence))
        violated(
            Invariant::AnsweredIsKept,
            fmt::format("request {} was accepted, and had been taken back", sequence.value)
        );
    auto const& requests = reading_.books[server].requests;
    auto const request = requests.find(sequence);
    if (request == requests.end() || request->second.target != target)
        violated(
            Invariant::AnsweredIsKept,
            fmt::format("request {} was accepted, and is not in the log", sequence.value)
        );
    // When it was made: this may be an answer of before, told again.
    if (target == PowerStatus::On && request->second.made)
        wanted_on_[server] = std::max(wanted_on_[server], *request->second.made);
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
        seen = Witnessed{machine.boot_id(), machine.resumes()};
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
    if (report)
        check_report(machine, seen, *report);
    if (report) {
        seen.said = report->status;
        seen.leaving = report->leaving;
        seen.told_on = false;
    }
    if (report && !stopping)
        seen.hooks_ended = false;
    if (!stopping)
        return;
    seen.asked.push_back(
        {.nonce = report->nonce, .at = world_.schedule().now(), .after_hooks = seen.hooks_ended}
    );
    if (seen.asked.size() > kAskedKept)
        seen.asked.erase(seen.asked.begin());
}

/// Of its own machine, and as it went on in this boot or resume.
void Judge::check_report(Machine const& machine, Witnessed& seen, agent::Report const& report) {
    auto const lies = [&](std::string_view what) {
        violated(Invariant::AgentsSayWhatIsSo, fmt::format("m{} {}", machine.build().number, what));
    };
    bool const is_on = report.status == HeartbeatStatus::On;
    if (seen.said == HeartbeatStatus::None && !is_on)
        lies("does not begin a boot or resume with ON");
    if (seen.said == HeartbeatStatus::Stopping && is_on && !seen.told_on)
        lies("says ON again, and was not told so");
    if (is_on && report.blocked_by != machine.hold())
        lies("does not say what keeps it from going down");
    if (report.leaving != machine.leaving())
        lies("does not say whether its system goes down");
    bool const knows =
        report.witness && seen.head <= std::pair(report.witness->epoch, report.witness->sequence);
    if (seen.head.first > 0 && !knows)
        lies("does not say how far the log goes");
    for (auto& [id, wake] : seen.wakes) {
        if (wake.is == Wake::Sent && std::ranges::count(report.woke, id) == 0)
            lies("does not say that it sent a packet");
        if (wake.is == Wake::Sent)
            wake.is = Wake::Said;
    }
}

/// What it was asked to send is forgotten with its process.
void Judge::agent_begins(Machine const& machine) {
    witness(machine).wakes.clear();
}

void Judge::relays(Machine const& machine, wol::MacAddress const& mac) {
    auto& wakes = witness(machine).wakes;
    auto const asked = std::ranges::find_if(wakes, [&](auto const& wake) {
        return wake.second.is == Wake::Asked && wake.second.mac == mac;
    });
    if (asked == wakes.end())
        violated(
            Invariant::WakesAreSent,
            fmt::format("m{} sends a packet that nobody asked for", machine.build().number)
        );
    asked->second.is = Wake::Sent;
}

void Judge::sent_packet(core::MacAddress const& mac) {
    auto const server = reading_.fold.by_mac.find(mac);
    if (server != reading_.fold.by_mac.end())
        reading_.wakes.sent(server->second, reading_.second);
}

/// An agent is asked to end because its system goes down, and has no call under way.
void Judge::goes_down(Machine const& machine) {
    if (witness(machine).leaving == agent::Leaving::No)
        violated(
            Invariant::AgentsSayWhatIsSo,
            fmt::format("m{} goes down without a word", machine.build().number)
        );
}

/// Of what was before the join it knows nothing.
void Judge::joined(Machine const& machine) {
    witness(machine) = {};
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

void Judge::asked_to_relay(Machine const& machine, Reply const& reply, bool is_held) {
    if (reply.status != 200)
        return;
    auto& wakes = witness(machine).wakes;
    if (!is_held)
        std::erase_if(wakes, [](auto const& wake) { return wake.second.is == Wake::Said; });
    for (auto const& ask : reply.answer.wake)
        wakes.try_emplace(ask.id, Wake{ask.mac, Wake::Asked});
}

void Judge::heard(Machine const& machine, Reply const& reply) {
    if (reply.status != 200)
        return;
    auto& seen = witness(machine);
    auto const& answer = reply.answer;
    seen.told_on = seen.told_on || answer.power_status == PowerStatus::On;
    std::pair const head(answer.head.epoch, answer.head.sequence);
    if (answer.order) {
        auto const& nonce = answer.order->nonce;
        auto const& given = reading_.books[machine.joined()->server].orders;
        auto const at = std::ranges::find(seen.asked, nonce, &Asked::nonce);
        bool const is_genuine = std::ranges::count(given, nonce, &Book::Order::nonce) > 0;
        if (at == seen.asked.end() || !is_genuine)
            return;
        at->order = answer.order->sequence;
        at->of_a_lesser_log = head < seen.head;
    } else if (answer.power_status == PowerStatus::On) // its head is believed in any case
        seen.head = std::max(seen.head, head);
}

void Judge::hooks_ended(Machine const& machine, bool fine) {
    auto& seen = witness(machine);
    seen.hooks_ended = true;
    seen.hook_failed = !fine;
}

/// The log that the order stands in: this one, or one that lost its end since it was asked for.
/// Null: none.
Reading const* Judge::reading_with(Asked const& asked, core::ServerId server) const {
    auto const holds = [&](Reading const& reading) {
        auto const book = reading.books.find(server);
        return book != reading.books.end() &&
               std::ranges::count(book->second.orders, asked.nonce, &Book::Order::nonce) > 0;
    };
    if (holds(reading_))
        return &reading_;
    for (auto const& [at, reading] : lost_)
        if (at > asked.at && holds(reading))
            return &reading;
    return nullptr;
}

void Judge::acted(Machine const& machine, std::uint64_t number, agent::OffMethod method) {
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

    if (!machine.hold().empty())
        violated(Invariant::VetoHolds, where + ": its owner forbids it");
    if (seen.hook_failed)
        violated(Invariant::VetoHolds, where + ": a required hook had failed");
    if (last->of_a_lesser_log)
        violated(Invariant::NoOffWithoutRequest, where + ": the log had lost its end");
    auto const* reading = reading_with(*last, server);
    if (!reading)
        violated(Invariant::NoOffWithoutRequest, where + ": the order is not in the log");
    auto const* config = reading->fold.find(server);
    if (config && agent::to_string(method) != core::to_string(config->config.off_method))
        violated(Invariant::OrderFitsOneAct, where + ": not in the way that was asked for");

    auto const& book = reading->books.at(server);
    auto const order = std::ranges::find(book.orders, last->nonce, &Book::Order::nonce);
    if (order->request.value != number || order->identity != identity_of(machine))
        violated(Invariant::OrderFitsOneAct, where + ": the order was for another boot or resume");
    auto const request = book.requests.find({number});
    if (request == book.requests.end() || request->second.target != PowerStatus::Off)
        violated(Invariant::NoOffWithoutRequest, where + ": nobody asked for that");
    auto const made = request->second.made;
    auto const on = wanted_on_.find(server);
    if (made && on != wanted_on_.end() && on->second > *made && on->second < order->given)
        violated(Invariant::NoOffWithoutRequest, where + ": ON was accepted after it");
}

void Judge::changed(Machine const& machine) {
    afterwards_.changed(machine);
}

} // namespace cpm::sim
