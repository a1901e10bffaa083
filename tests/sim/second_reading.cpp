#include "tests/sim/second_reading.hpp"

#include "core/result.hpp"
#include "projections/explanation.hpp"
#include "tests/sim/journal.hpp"

#include <algorithm>
#include <array>

namespace cpm::sim {
namespace {

using core::HeartbeatStatus;
using model::Machine;
using model::Outcome;
using model::Sign;

constexpr std::size_t kRequestsKept = 32;
/// What follows from another event of its decision, and never comes first.
constexpr std::array<std::string_view, 4> kConsequences{
    "PowerAdopted", "PowerReasserted", "AgentSetAside", "StandbyReleased"};

Sign sign_of(HeartbeatStatus status) {
    switch (status) {
    case HeartbeatStatus::None: return Sign::Silent;
    case HeartbeatStatus::On: return Sign::Up;
    case HeartbeatStatus::Stopping: return Sign::GoingDown;
    }
    return {};
}

std::optional<std::int64_t> number_of(std::optional<std::uint64_t> const& report) {
    return report ? std::optional(static_cast<std::int64_t>(*report)) : std::nullopt;
}

std::int64_t number_of(core::Sequence sequence) {
    return static_cast<std::int64_t>(sequence.value);
}

/// The model's number for an identity, a new one if it is new.
int who_is(std::vector<core::BootIdentity>& known, core::BootIdentity const& identity) {
    auto const at = std::find(known.rbegin(), known.rend(), identity);
    if (at != known.rend())
        return static_cast<int>(known.rend() - at);
    known.push_back(identity);
    return static_cast<int>(known.size());
}

[[noreturn]] void differs(std::string const& name, std::string const& what) {
    violated(Invariant::StatusAsTheModelSays, name + ": " + what);
}

/// Of a value as it is served and as the model has it.
template <class Value>
void compare(std::string const& name, char const* what, Value const& served, Value const& model) {
    if (served != model)
        differs(name, fmt::format("{}: served {}, in the model {}", what, served, model));
}

} // namespace

// --- decisions

void SecondReading::take(core::Event const& event) {
    if (event.decision != decision_.number) {
        close();
        begin(event);
    }
    if (!decision_.server)
        return;
    expect(event);
    ++decision_.come;
    if (auto const* order = std::get_if<core::OrderSent>(&event.payload))
        check_order(servers_.at(event.server), *order);
    if (auto const* adopted = std::get_if<core::PowerAdopted>(&event.payload))
        check_adoption(servers_.at(event.server), *adopted);
}

void SecondReading::begin(core::Event const& event) {
    decision_ = {};
    decision_.number = event.decision;
    auto const& payload = event.payload;
    if (auto const* added = std::get_if<core::ServerAdded>(&payload))
        configure(event.server, added->config);
    if (auto const* updated = std::get_if<core::ServerUpdated>(&payload))
        configure(event.server, updated->config);
    if (std::holds_alternative<core::ServerRemoved>(payload))
        servers_.erase(event.server);
    auto const known = servers_.find(event.server);
    if (known == servers_.end()) {
        begin_for_all(event);
        return;
    }
    auto& server = known->second;
    decision_.overruled = server.machine.ask ? server.machine.ask->number : 0;
    auto outcome = happen(server, event);
    decision_.people_are_told = outcome.people_are_told;
    server.machine = std::move(outcome.then);
    decision_.server = event.server;
    decision_.logged = std::move(outcome.logged);
    decision_.status = model::conclude(server.machine).status;
}

void SecondReading::begin_for_all(core::Event const& event) {
    if (auto const* changed = std::get_if<core::SettingsChanged>(&event.payload))
        set(*changed);
    bool const starts = std::holds_alternative<core::ManagerStarted>(event.payload);
    bool const accepts = std::holds_alternative<core::RollbackAccepted>(event.payload);
    for (auto& [id, server] : servers_) {
        if (starts)
            server.machine = model::manager_start(server.machine).then;
        if (accepts)
            server.machine = model::accept_rollback(server.machine).then;
    }
}

void SecondReading::set(core::SettingsChanged const& changed) {
    for (auto const& [name, value] : changed.changes) {
        if (name == "heartbeat_interval_seconds")
            interval_ = std::stoll(value);
        else if (name == "missed_heartbeats")
            missed_ = std::stoll(value);
        else if (name == "standby_time_seconds")
            standby_ = std::stoll(value);
        else if (name == "release_standby_when_settled")
            rules_.releases_when_settled = value == "true";
    }
}

void SecondReading::configure(core::ServerId id, core::ServerConfig const& config) {
    auto& server = servers_[id];
    server.name = config.name;
    server.interval.reset();
    server.missed.reset();
    server.standby.reset();
    if (config.heartbeat_interval)
        server.interval = config.heartbeat_interval->count();
    if (config.missed_heartbeats)
        server.missed = *config.missed_heartbeats;
    if (config.standby_time)
        server.standby = config.standby_time->count();
    server.unsigned_will_do = config.allow_unsigned;
}

/// It is the next that the model says.
void SecondReading::expect(core::Event const& event) const {
    auto const& server = servers_.at(event.server);
    auto const type = core::type_name(event.payload);
    auto const& logged = decision_.logged;
    if (decision_.come >= logged.size() || logged[decision_.come] != type) {
        auto const what = fmt::format(
            "the log says {} (event {}), the model {}",
            type,
            event.sequence.value,
            logged.empty() ? "nothing" : fmt::format("{}", fmt::join(logged, ", "))
        );
        if (type == "OrderSent")
            violated(Invariant::NoOffWithoutRequest, server.name + ": " + what);
        differs(server.name, what);
    }
    auto const stamped = event.actual ? core::to_string(*event.actual) : "no status";
    if (stamped == decision_.status)
        return;
    // Each event carries what its whole decision came to.
    bool const adopts = std::ranges::count(logged, "PowerAdopted") > 0;
    violated(
        adopts ? Invariant::NewOnWins : Invariant::StatusAsTheModelSays,
        fmt::format(
            "{}: event {} ({}) carries {}, the model {}",
            server.name,
            event.sequence.value,
            type,
            stamped,
            decision_.status
        )
    );
}

void SecondReading::close() {
    bool const lacks = decision_.server && decision_.come < decision_.logged.size();
    bool const is_order = lacks && decision_.logged[decision_.come] == "OrderSent";
    if (lacks && !(is_order && orders_doubted_))
        differs(
            servers_.at(decision_.server).name,
            fmt::format(
                "in the decision of event {} there is no {}",
                decision_.number.value,
                decision_.logged[decision_.come]
            )
        );
    decision_ = {};
}

std::string SecondReading::status(core::ServerId server) const {
    return model::conclude(servers_.at(server).machine).status;
}

bool SecondReading::should_run(core::ServerId id) const {
    auto const server = servers_.find(id);
    return server != servers_.end() && server->second.machine.should_run;
}

bool SecondReading::is_asked_on(core::ServerId id) const {
    return should_run(id) && servers_.at(id).machine.ask && !servers_.at(id).machine.ask->for_off;
}

bool SecondReading::awaits_start(core::ServerId id) const {
    return is_asked_on(id) && !servers_.at(id).machine.ask->seen_up;
}

bool SecondReading::is_unchanged(core::ServerId server, core::PowerStatus target) const {
    bool const off = target == core::PowerStatus::Off;
    return model::ask_for(servers_.at(server).machine, off, 0, rules_).logged.empty();
}

std::chrono::seconds SecondReading::interval(core::ServerId id) const {
    return std::chrono::seconds(servers_.at(id).interval.value_or(interval_));
}

std::chrono::seconds SecondReading::timeout(core::ServerId id) const {
    return interval(id) * servers_.at(id).missed.value_or(missed_);
}

// --- what happens

Outcome SecondReading::happen(Server& server, core::Event const& event) {
    auto const& payload = event.payload;
    if (auto const* heard = std::get_if<core::HeartbeatReceived>(&payload))
        return hear(server, *heard, timeout(event.server));
    if (auto const* ignored = std::get_if<core::ReportIgnored>(&payload))
        return ignore(server, *ignored);
    if (std::holds_alternative<core::HeartbeatLost>(payload))
        return model::miss(server.machine, rules_);
    if (auto const* elapsed = std::get_if<core::StandbyElapsed>(&payload)) {
        bool const is_last =
            server.machine.ask && server.machine.ask->number == number_of(elapsed->request);
        return is_last ? model::time_up(server.machine, rules_) : Outcome{server.machine, {}};
    }
    if (auto const* made = std::get_if<core::PowerRequested>(&payload))
        return ask(server, *made, event.sequence);
    if (auto const* refused = std::get_if<core::PowerRefused>(&payload))
        return refuse(server, *refused);
    if (auto const* withdrawn = std::get_if<core::PowerWithdrawn>(&payload))
        return take_back(server, *withdrawn);
    if (auto const* order = std::get_if<core::OrderSent>(&payload))
        return give_order(server, *order);
    if (std::holds_alternative<core::AgentJoined>(payload))
        return model::join(server.machine, rules_);
    if (std::holds_alternative<core::AgentReinstated>(payload))
        return model::trust_again(server.machine, rules_);
    auto const type = core::type_name(payload);
    if (std::ranges::count(kConsequences, type) > 0)
        return {server.machine, {}};
    return model::note(server.machine, std::string(type), rules_);
}

Outcome SecondReading::hear(
    Server& server, core::HeartbeatReceived const& heard, std::chrono::seconds timeout
) {
    if (heard.timeout != timeout)
        violated(
            Invariant::DeadlinesOnTime,
            fmt::format(
                "{}: a heartbeat has a timeout of {} s, to be {} s",
                server.name,
                heard.timeout.count(),
                timeout.count()
            )
        );
    model::Speech said{sign_of(heard.status), {}, number_of(heard.report), false};
    if (heard.identity)
        said.who = who_is(server.who, *heard.identity);
    said.hindered = !heard.blocked_by.empty();
    auto outcome = model::hear(server.machine, said, rules_);
    model::Caller const caller{
        .who = said.who,
        .sent_nonce = heard.can_verify,
        .by_heartbeat = true,
        .unsigned_will_do = server.unsigned_will_do,
        .log_rolled_back = false,
    };
    auto const told = model::tell(outcome.then, caller);
    bool const is_off = told == model::Told::OffWithOrder || told == model::Told::OffUnsigned;
    if (is_off)
        outcome.logged.emplace_back("OrderSent");
    return outcome;
}

Outcome SecondReading::ignore(Server& server, core::ReportIgnored const& ignored) {
    model::Speech const said{
        sign_of(ignored.status),
        who_is(server.who, ignored.identity),
        number_of(ignored.report),
        false};
    return model::hear(server.machine, said, rules_);
}

Outcome
SecondReading::ask(Server& server, core::PowerRequested const& made, core::Sequence number) {
    if (made.standby.count() != server.standby.value_or(standby_))
        violated(
            Invariant::DeadlinesOnTime,
            fmt::format("{}: a standby time of {} s", server.name, made.standby.count())
        );
    server.before[number] = server.machine;
    if (server.before.size() > kRequestsKept)
        server.before.erase(server.before.begin());
    bool const off = made.target == core::PowerStatus::Off;
    return model::ask_for(server.machine, off, number_of(number), rules_);
}

/// Guards of people's making (a protected server, min_on) are not the model's.
Outcome SecondReading::refuse(Server& server, core::PowerRefused const& refused) {
    bool const off = refused.target == core::PowerStatus::Off;
    bool const is_models = refused.reason == core::ErrorCode::StandbyOpen ||
                           refused.reason == core::ErrorCode::SetAside;
    return is_models ? model::ask_for(server.machine, off, 0, rules_)
                     : model::note(server.machine, "PowerRefused", rules_);
}

Outcome SecondReading::take_back(Server& server, core::PowerWithdrawn const& withdrawn) {
    auto const before = server.before.find(withdrawn.request);
    if (before == server.before.end())
        differs(server.name, "a request that never was is withdrawn");
    return model::take_back(server.machine, before->second, rules_);
}

/// The answer to a held call is a decision of its own.
Outcome SecondReading::give_order(Server& server, core::OrderSent const& order) {
    model::Caller caller{
        .who = {},
        .sent_nonce = !order.nonce.empty(),
        .by_heartbeat = order.way == core::OrderWay::Heartbeat,
        .unsigned_will_do = server.unsigned_will_do,
        .log_rolled_back = false,
    };
    if (order.identity)
        caller.who = who_is(server.who, *order.identity);
    auto const told = model::tell(server.machine, caller);
    bool const is_off = told == model::Told::OffWithOrder || told == model::Told::OffUnsigned;
    return is_off ? model::note(server.machine, "OrderSent", rules_) : Outcome{server.machine, {}};
}

/// What it names, and whether people are told.
void SecondReading::check_adoption(Server& server, core::PowerAdopted const& adopted) const {
    auto const& name = server.name;
    if (adopted.identity && who_is(server.who, *adopted.identity) != server.machine.who)
        differs(name, "another identity was adopted than the one that reported");
    compare(name, "what it overrules", number_of(adopted.overruled), decision_.overruled);
    compare(name, "people are told", adopted.notify, decision_.people_are_told);
}

void SecondReading::check_order(Server& server, core::OrderSent const& order) const {
    auto const& ask = server.machine.ask;
    if (!ask || ask->number != number_of(order.request))
        violated(
            Invariant::NoOffWithoutRequest,
            fmt::format("{}: an order for request {}", server.name, order.request.value)
        );
    if (!order.identity || who_is(server.who, *order.identity) != server.machine.who)
        violated(Invariant::OrderFitsOneAct, server.name + ": an order for another identity");
}

// --- what is served

void SecondReading::check(core::Server const& served, core::Settings const& settings) {
    auto const at = servers_.find(served.id);
    if (at == servers_.end())
        differs(served.config.name, "it is served, and not there");
    auto& server = at->second;
    auto const& name = server.name;
    auto const& is = served.state;
    auto const& model = server.machine;
    compare(name, "power is ON", is.power == core::PowerStatus::On, model.should_run);
    compare(name, "previous", static_cast<int>(sign_of(is.previous)), int(model.heard[0]));
    compare(name, "current", static_cast<int>(sign_of(is.current)), int(model.heard[1]));
    compare(name, "request", is.request.has_value(), model.ask.has_value());
    if (is.request) {
        auto const& request = *is.request;
        auto const& ask = *model.ask;
        compare(name, "request", number_of(request.sequence), ask.number);
        compare(name, "for OFF", request.target == core::PowerStatus::Off, ask.for_off);
        compare(name, "elapsed", request.standby == core::Standby::Elapsed, ask.time_is_up);
        compare(name, "ordered", request.ordered, ask.is_order);
        compare(name, "answered", request.answered, ask.obeyed);
        compare(name, "confirmed", request.confirmed, ask.seen_up);
    }
    auto const who = is.boot ? std::optional(who_is(server.who, *is.boot)) : std::nullopt;
    compare(name, "identity", who.value_or(0), model.who.value_or(0));
    compare(name, "report", number_of(is.report).value_or(-1), model.count.value_or(-1));
    compare(name, "replaced identities", is.earlier.size(), model.ghosts.size());
    for (std::size_t i = 0; i < is.earlier.size(); ++i) {
        auto const ghost = who_is(server.who, is.earlier[i].identity);
        compare(name, "a replaced identity", ghost, model.ghosts[i].who);
        compare(name, "that reported", is.earlier[i].ignored, model.ghosts[i].has_spoken);
    }
    compare(name, "blocked", !is.blocked_by.empty(), model.hindered);
    compare(name, "adopted", is.adopted, model.by_hand);
    compare(name, "set aside", is.set_aside, model.distrusted);

    auto const [status, rule] = model::conclude(model);
    compare(name, "status", core::to_string(is.actual), std::string_view(status));
    auto reason = rule + " " + status;
    if (reason == server.said)
        return;
    server.said = std::move(reason);
    auto const told = projections::explain(served, settings);
    compare(name, "its reason", told.rule, rule);
    if (told.text.empty())
        differs(name, "it does not say why it is " + status);
}

void SecondReading::check_all(core::Fleet const& served) {
    for (auto const& [id, server] : served.servers)
        check(server, served.settings);
    if (served.servers.size() != servers_.size())
        differs("the fleet", "other servers are served than there are");
}

} // namespace cpm::sim
