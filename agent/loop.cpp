#include "agent/loop.hpp"

#include "agent/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sodium.h>

namespace cpm::agent {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::seconds kCallLimit{10};
constexpr std::chrono::seconds kGoodbyeLimit{3};
/// The head on the disk is for the time after a reboot.
constexpr std::chrono::minutes kHeadPause{10};

ClientConfig client_config(Credentials const& credentials) {
    return {
        .url = parse_url(credentials.manager_url).value(),
        .trust = credentials.trust,
        .ca_certificate = credentials.ca_certificate,
    };
}

/// Of another boot nothing is known of resumes.
ResumeCounter resume_counter(std::optional<Marker> const& marker, std::string const& boot_id) {
    if (!marker || marker->memory.identity.boot_id != boot_id)
        return ResumeCounter(read_clocks());
    ResumeCounter counter(marker->memory.identity.resume_count, marker->suspended);
    counter.look(read_clocks());
    return counter;
}

Memory memory_of(
    std::optional<Marker> const& marker,
    tl::expected<std::optional<Head>, std::string> const& stored_head
) {
    auto memory = marker ? marker->memory : Memory{};
    if (!memory.head && stored_head)
        memory.head = *stored_head;
    return memory;
}

Failure failure_of(HttpAnswer const& answer) {
    auto const detail = problem_detail(answer.body);
    bool const too_often = answer.status == 429 && is_throttled(answer.body);
    auto const kind = answer.status == 401   ? Failure::Kind::NotSignedIn
                      : answer.status == 410 ? Failure::Kind::Gone
                      : too_often            ? Failure::Kind::TooOften
                                             : Failure::Kind::Trouble;
    return {
        .kind = kind,
        .detail = fmt::format(
            "the manager answered {}{}{}", answer.status, detail.empty() ? "" : ": ", detail
        ),
    };
}

Outcome outcome_of(tl::expected<HttpAnswer, std::string> const& answer, bool held) {
    if (!answer)
        return Failure{.kind = {}, .detail = answer.error()};
    if (answer->status == 304 && held)
        return Unchanged{};
    if (answer->status != 200)
        return failure_of(*answer);
    auto parsed = parse_answer(answer->body);
    if (!parsed)
        return Failure{
            .kind = {}, .detail = "the manager's answer was not read: " + parsed.error()};
    return *parsed;
}

seconds own_spread() {
    auto const most = std::chrono::duration_cast<seconds>(Rotation::kSpread);
    return seconds(randombytes_uniform(static_cast<std::uint32_t>(most.count())));
}

/// Puts the token that was answered into `renewed`, and those on the disk.
tl::expected<void, std::string> store_token(
    std::filesystem::path const& state_directory,
    Credentials& renewed,
    tl::expected<HttpAnswer, std::string> const& answer
) {
    if (!answer)
        return tl::make_unexpected(answer.error());
    if (answer->status != 200)
        return tl::make_unexpected(failure_of(*answer).detail);
    auto token = parse_token_answer(answer->body);
    if (!token)
        return tl::make_unexpected(token.error());
    renewed.agent_token = std::move(*token);
    // A join that was made meanwhile beside this agent stored other credentials, which stay.
    auto const present = load_credentials(state_directory);
    if (!present || !*present || (*present)->join_id != renewed.join_id)
        return tl::make_unexpected("the credentials on the disk are of another join");
    return save_credentials(state_directory, renewed);
}

} // namespace

Loop::Loop(
    asio::io_context& io,
    LoopConfig config,
    Credentials const& credentials,
    BootIdentity const& boot,
    Machine& machine
)
    : io_(io)
    , config_(std::move(config))
    , credentials_(credentials)
    , machine_(machine)
    , client_(io, client_config(credentials))
    , relay_(sender_, config_.report)
    , remembered_(load_marker(config_.run_directory, credentials.join_id))
    , stored_head_(load_head(config_.state_directory, credentials.join_id))
    , resumes_(resume_counter(remembered_, boot.boot_id))
    , boot_id_(boot.boot_id)
    , conduct_(
          credentials.server_id,
          OrderKey::parse(credentials.order_key).value(),
          {boot_id_, resumes_.count()},
          memory_of(remembered_, stored_head_),
          !credentials.previous_token.empty()
      )
    , rotation_(credentials.token_since, own_spread())
    , rest_(io)
    , tick_(io) {
    if (conduct_.memory().said == Memory::Said::Acted)
        machine_.acted_before();
    if (head_is_lost())
        config_.report(stored_head_.error());
}

/// The stored head cannot be read, so an older log cannot be told from the one it knew. Until it is
/// joined anew the machine does not go down (as if its owner had a veto), and no other head is
/// stored in its place. The marker's head, of this boot, is as good as the lost one.
bool Loop::head_is_lost() const {
    return !stored_head_ && !(remembered_ && remembered_->memory.head);
}

Observation Loop::observe() {
    auto const clocks = read_clocks();
    auto const resumes = resumes_.count();
    if (resumes_.look(clocks) != resumes)
        machine_.withdraw_act();
    Observation seen{
        .boottime = clocks.boottime,
        .identity = {boot_id_, resumes_.count()},
        .blocked_by = head_is_lost() ? plain_line(stored_head_.error()) : machine_.blocked_by(),
        .sleep_blocked_by = machine_.sleep_blocked_by(),
        .leaving = machine_.leaving(),
    };
    randombytes_buf(seen.random.data(), seen.random.size());
    return seen;
}

awaitable<void> Loop::run() {
    asio::co_spawn(io_, watch(), asio::detached);
    while (!stopping_ || (asked_with_.leaving != Leaving::No && !conduct_.said_goodbye())) {
        asked_with_ = observe();
        auto const step = conduct_.next(asked_with_);
        keep(conduct_.memory());
        report_findings();
        if (auto const* heartbeat = std::get_if<SendHeartbeat>(&step))
            co_await perform(*heartbeat);
        else if (auto const* hold = std::get_if<HoldManifest>(&step))
            co_await perform(*hold);
        else if (auto const* hooks = std::get_if<RunHooks>(&step))
            co_await perform(*hooks);
        else if (auto const* act = std::get_if<Act>(&step))
            co_await perform(*act);
        else
            co_await perform(std::get<Rest>(step));
        report_findings();
    }
    keep(conduct_.memory());
    if (auto const head = conduct_.memory().head; head && !head_is_lost())
        (void)save_head(config_.state_directory, credentials_.join_id, *head);
    tick_.cancel();
}

awaitable<void> Loop::perform(SendHeartbeat step) {
    step.report.woke = relay_.woke();
    auto const& token =
        step.with_previous_token ? credentials_.previous_token : credentials_.agent_token;
    HttpQuestion question{
        .target = "/agent/v1/heartbeat",
        .body = heartbeat_body(step.report, config_.agent_version),
        .token = token,
    };
    bool const answered =
        co_await call(std::move(question), stopping_ ? kGoodbyeLimit : kCallLimit, false);
    // Not while it goes down: nothing may come between the questions before an act.
    bool const quiet = conduct_.memory().said == Memory::Said::On && !stopping_;
    if (answered && quiet &&
        rotation_.is_due(read_wall_clock(), read_clocks().boottime, step.with_previous_token))
        co_await rotate_token(token);
}

/// Asks for a new token and keeps it before it is used: whatever happens between, one of the two is
/// on the disk and opens the door.
awaitable<void> Loop::rotate_token(std::string present) {
    rotation_.attempted(read_clocks().boottime);
    HttpQuestion question{.target = "/agent/v1/token", .body = "{}", .token = present};
    rotating_ = true;
    auto const answer = co_await client_.ask(std::move(question), kCallLimit);
    rotating_ = false;
    auto renewed = credentials_;
    renewed.previous_token = std::move(present);
    renewed.token_since = read_wall_clock();
    if (auto const stored = store_token(config_.state_directory, renewed, answer); !stored) {
        config_.report("the agent's token was not renewed: " + stored.error());
        co_return;
    }
    credentials_ = std::move(renewed);
    rotation_.succeeded(credentials_.token_since);
    conduct_.token_renewed();
    config_.report("the agent's token was renewed");
}

awaitable<void> Loop::perform(HoldManifest step) {
    auto const& token =
        step.with_previous_token ? credentials_.previous_token : credentials_.agent_token;
    HttpQuestion question{
        .post = false,
        .target = manifest_target(step.question),
        .token = token,
        .if_none_match = step.question.known_version,
    };
    co_await call(std::move(question), step.question.wait + kCallLimit, true);
}

awaitable<bool> Loop::call(HttpQuestion question, seconds limit, bool held) {
    holding_ = held;
    auto const answer = co_await client_.ask(std::move(question), limit);
    holding_ = false;
    auto const outcome = outcome_of(answer, held);
    if (std::exchange(cut_, false))
        conduct_.cut();
    else
        take(outcome, held);
    if (conduct_.said_goodbye())
        machine_.goodbye_said();
    co_return std::holds_alternative<Answer>(outcome);
}

void Loop::take(Outcome const& outcome, bool held) {
    conduct_.answered(observe(), outcome);
    auto const* answer = std::get_if<Answer>(&outcome);
    if (!answer)
        return;
    if (!held)
        relay_.acknowledged();
    if (relay_.take(answer->wake))
        conduct_.report_soon();
}

awaitable<void> Loop::perform(RunHooks) {
    asio::co_spawn(io_, prepare(), asio::detached);
    co_return;
}

awaitable<void> Loop::perform(Act step) {
    asio::co_spawn(io_, go_down(step.method), asio::detached);
    co_return;
}

awaitable<void> Loop::perform(Rest step) {
    auto const left = step.until - read_clocks().boottime;
    rest_.expires_after(std::clamp<microseconds>(left, microseconds(0), kTick));
    co_await rest_.async_wait(kToken);
}

awaitable<void> Loop::prepare() {
    auto const end = co_await machine_.prepare();
    for (auto const& line : end.report)
        config_.report(line);
    conduct_.hooks_ended(observe(), end.failed);
    wake();
}

awaitable<void> Loop::go_down(OffMethod method) {
    if (conduct_.may_act(observe())) {
        auto const done = co_await machine_.go_down(method);
        if (!done)
            conduct_.act_failed(observe(), done.error());
    }
    wake();
}

/// What the present step was decided on no longer holds, or something ended: a new step is decided.
void Loop::wake() {
    rest_.cancel();
    if (!holding_ || cut_)
        return;
    cut_ = true;
    client_.cut();
}

awaitable<void> Loop::watch() {
    while (!stopping_) {
        tick_.expires_after(kTick);
        co_await tick_.async_wait(kToken);
        auto const seen = observe();
        if (machine_.take_cancelled()) {
            conduct_.act_failed(seen, "cancelled");
            wake();
        }
        if (seen.identity != asked_with_.identity)
            client_.cut(); // whatever it is, its answer would be thrown away
        if (rotating_ && seen.leaving != asked_with_.leaving)
            client_.cut(); // a goodbye does not wait for a token
        if (seen.identity != asked_with_.identity || seen.blocked_by != asked_with_.blocked_by ||
            seen.sleep_blocked_by != asked_with_.sleep_blocked_by ||
            seen.leaving != asked_with_.leaving)
            wake();
    }
}

void Loop::stop() {
    stopping_ = true;
    machine_.being_stopped();
    asked_with_ = observe();
    tick_.cancel();
    wake();
    if (asked_with_.leaving == Leaving::No || rotating_)
        client_.cut();
}

void Loop::keep(Memory memory) {
    if (head_is_lost())
        memory.head.reset();
    if (kept_ == memory)
        return;
    kept_ = memory;
    auto const& join = credentials_.join_id;
    auto kept = save_marker(config_.run_directory, join, {memory, resumes_.suspended()});
    if (memory.head && is_head_due(*memory.head)) {
        saved_head_ = memory.head;
        head_saved_ = asked_with_.boottime;
        if (auto saved = save_head(config_.state_directory, join, *memory.head); !saved)
            kept = saved;
    }
    auto failure = kept ? std::string{} : kept.error();
    if (failure != store_failure_ && !failure.empty())
        config_.report(failure);
    store_failure_ = std::move(failure);
}

/// Rarely, for the disk's sake; another epoch at once.
bool Loop::is_head_due(Head const& head) const {
    if (!saved_head_ || saved_head_->epoch != head.epoch)
        return true;
    return *saved_head_ != head && asked_with_.boottime - head_saved_ > kHeadPause;
}

void Loop::report_findings() {
    for (auto const& finding : conduct_.take_findings())
        config_.report(finding);
}

} // namespace cpm::agent
