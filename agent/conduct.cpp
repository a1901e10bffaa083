#include "agent/conduct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sodium.h>

namespace cpm::agent {
namespace {

using core::HeartbeatStatus;
using core::PowerStatus;

/// The longest pause while the manager is away, and the pause once it has disowned this agent.
constexpr seconds kSlow{300};
constexpr seconds kLongestHold{60};
constexpr std::size_t kNonceBytes = 24;

std::string make_nonce(Observation const& seen) {
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::array<char, sodium_base64_ENCODED_LEN(kNonceBytes, kVariant)> text{};
    sodium_bin2base64(text.data(), text.size(), seen.random.data(), kNonceBytes, kVariant);
    return text.data();
}

/// Anything from `low` to `high` per cent of `whole`: so that no two agents keep in step.
microseconds part_of(microseconds whole, int low, int high, Observation const& seen) {
    auto const dice = seen.random[kNonceBytes] * 256 + seen.random[kNonceBytes + 1];
    auto const permyriad = low * 100 + (high - low) * 100 * dice / 65535;
    return whole / 10000 * permyriad;
}

} // namespace

Conduct::Conduct(
    std::string server_id,
    OrderKey const& key,
    BootIdentity const& identity,
    std::optional<Memory> const& remembered,
    bool has_previous_token
)
    : server_id_(std::move(server_id))
    , key_(key)
    , has_previous_token_(has_previous_token) {
    begin(identity);
    if (!remembered)
        return;
    head_ = remembered->head;
    if (remembered->identity != identity)
        return;
    last_report_ = remembered->last_report;
    switch (remembered->said) {
    case Memory::Said::On: return;
    case Memory::Said::Stopping:
        phase_ = remembered->failed.empty() ? Phase::Accepted : Phase::Refused;
        break;
    case Memory::Said::Acted: phase_ = Phase::Acted; break;
    }
    request_ = remembered->request;
    failed_ = remembered->failed;
}

/// As after a boot: whatever was held before a resume is thrown away (4, Heartbeats).
void Conduct::begin(BootIdentity const& identity) {
    identity_ = identity;
    phase_ = Phase::On;
    request_ = 0;
    method_ = {};
    failed_.clear();
    hooks_request_ = 0;
    acknowledged_ = false;
    hold_spent_ = false;
    version_.clear();
    failures_ = 0;
    due_ = microseconds(0);
    leaving_said_ = Leaving::No;
}

/// What it says from now on differs, so it says it at once.
void Conduct::enter(Phase phase, microseconds now) {
    phase_ = phase;
    due_ = now;
}

Step Conduct::next(Observation const& seen) {
    if (seen.identity != identity_)
        begin(seen.identity);
    bool const free = seen.leaving == Leaving::No && blocked_by(seen).empty();
    if (phase_ == Phase::Ready) {
        if (free && seen.boottime - asked_ <= kNonceLife) {
            enter(Phase::Acted, seen.boottime);
            findings_.step(
                fmt::format("goes down ({}) for request {}", to_string(method_), request_)
            );
            return Act{method_};
        }
        enter(Phase::Asking, seen.boottime);
    }
    if (phase_ == Phase::Preparing && hooks_request_ != request_) {
        if (free) {
            hooks_run_ = true;
            hooks_request_ = request_;
            return RunHooks{};
        }
        enter(Phase::Accepted, seen.boottime);
    }
    bool const is_news = blocked_by(seen) != blocked_said_ && failures_ == 0;
    if (seen.boottime >= due_ || is_news || seen.leaving != leaving_said_)
        return heartbeat(seen);
    return hold_or_rest(seen);
}

Step Conduct::heartbeat(Observation const& seen) {
    blocked_said_ = blocked_by(seen);
    hold_spent_ = false;
    last_report_ = std::max(last_report_ + microseconds(1), seen.boottime);
    call_ = Call{
        .heartbeat = true,
        .status = status(),
        .blocked = !blocked_said_.empty(),
        .phase = phase_,
        .leaving = seen.leaving,
        .identity = identity_,
        .nonce = make_nonce(seen),
        .sent = seen.boottime,
    };
    // Told or not: an answer may not come any more.
    leaving_said_ = seen.leaving;
    return SendHeartbeat{
        .report =
            {.status = call_->status,
             .identity = identity_,
             .report = last_report_,
             .nonce = call_->nonce,
             .blocked_by = blocked_said_,
             .leaving = seen.leaving,
             .witness = head_},
        .with_previous_token = uses_previous_token_,
    };
}

Step Conduct::hold_or_rest(Observation const& seen) {
    // Whole seconds, rounded down: it ends before the next heartbeat is due.
    auto const wait =
        std::min(std::chrono::floor<seconds>(due_ - seen.boottime), seconds(kLongestHold));
    bool const may_hold = acknowledged_ && !hold_spent_ && failures_ == 0 &&
                          seen.leaving == Leaving::No && phase_ != Phase::Acted;
    if (!may_hold || wait < seconds(1))
        return Rest{due_};
    call_ = Call{
        .status = status(),
        .blocked = !blocked_by(seen).empty(),
        .phase = phase_,
        .identity = identity_,
        .nonce = make_nonce(seen),
        .sent = seen.boottime,
    };
    return HoldManifest{
        .question =
            {.identity = identity_, .nonce = call_->nonce, .known_version = version_, .wait = wait},
        .with_previous_token = uses_previous_token_,
    };
}

void Conduct::answered(Observation const& seen, Outcome const& outcome) {
    auto const call = std::exchange(call_, std::nullopt);
    if (!call)
        return;
    if (seen.identity != call->identity) {
        trouble("an answer from before a suspend was thrown away");
        return;
    }
    if (auto const* failure = std::get_if<Failure>(&outcome)) {
        failed(seen, *call, *failure);
        return;
    }
    if (auto const* answer = std::get_if<Answer>(&outcome)) {
        taken(seen, *call, *answer);
        return;
    }
    // 304 before its time: not asked again at once.
    hold_spent_ = seen.boottime - call->sent < seconds(1);
}

void Conduct::failed(Observation const& seen, Call const& call, Failure const& failure) {
    hold_spent_ = true;
    trouble(failure.detail);
    if (!call.heartbeat)
        return; // the heartbeat, when it is due, finds out what is wrong
    auto const usual = std::chrono::duration_cast<microseconds>(interval_);
    if (failure.kind == Failure::Kind::TooOften) {
        // Somebody reports in its name, or did. The manager is there and may have an order, and
        // takes one more report soon: early enough that this agent is not thought to be silent.
        failures_ = 0;
        hold_spent_ = false;
        due_ = seen.boottime + part_of(usual, 40, 60, seen);
        return;
    }
    ++failures_;
    auto const longest = std::max<microseconds>(usual, kSlow);
    auto pause = longest;
    switch (failure.kind) {
    case Failure::Kind::Trouble:
        pause = std::min(usual * (1U << (std::clamp(failures_, 2U, 12U) - 2)), longest);
        break;
    case Failure::Kind::NotSignedIn:
        uses_previous_token_ = has_previous_token_ && !tried_previous_token_;
        tried_previous_token_ = true;
        if (uses_previous_token_)
            pause = usual;
        break;
    case Failure::Kind::Gone:
    case Failure::Kind::TooOften: break;
    }
    due_ = seen.boottime + part_of(pause, 70, 100, seen);
}

void Conduct::taken(Observation const& seen, Call const& call, Answer const& answer) {
    if (failures_ > 0)
        trouble("the manager answers again");
    failures_ = 0;
    version_ = answer.manifest_version;
    interval_ = answer.heartbeat_interval;
    // Early enough that the report is there within the interval.
    auto const pause = part_of(interval_, 80, 95, seen);
    due_ = call.heartbeat ? call.sent + pause : std::min(due_, seen.boottime + pause);
    if (call.phase != phase_)
        due_ = seen.boottime; // what it has to say changed meanwhile
    acknowledged_ = acknowledged_ || call.heartbeat;
    hold_spent_ = !call.heartbeat;
    bool fine = answer.notice.empty() || trouble("the manager says: " + answer.notice);
    fine = obey(seen, call, answer) && fine;
    if (fine)
        findings_.calm();
}

/// False: something is wrong with the answer, and it was not obeyed.
bool Conduct::obey(Observation const& seen, Call const& call, Answer const& answer) {
    if (answer.power_status == PowerStatus::Off)
        return told_off(seen, call, answer);
    bool const fine = take_head(answer.head);
    if (phase_ == Phase::On || phase_ == Phase::Acted)
        return fine;
    findings_.step(fmt::format("told ON before the act for request {}: stays up", request_));
    request_ = 0;
    failed_.clear();
    enter(Phase::On, seen.boottime);
    return fine;
}

bool Conduct::told_off(Observation const& seen, Call const& call, Answer const& answer) {
    // Whoever forged an order forged its head, too: the head is looked at only after the order.
    if (!answer.order)
        return trouble("an OFF without a signed order was not obeyed");
    OrderBinding const binding{server_id_, call.identity, call.nonce, seen.boottime - call.sent};
    if (auto const genuine = check_order(*answer.order, binding, key_); !genuine)
        return trouble(genuine.error());
    if (!take_head(answer.head))
        return false;
    if (seen.leaving == Leaving::No && phase_ != Phase::Acted)
        ordered(seen, call, *answer.order);
    return true;
}

/// A genuine order came.
void Conduct::ordered(Observation const& seen, Call const& call, SignedOrder const& order) {
    method_ = order.method;
    if (phase_ == Phase::On || order.sequence != request_) {
        findings_.step(fmt::format("request {}: OFF was ordered", order.sequence));
        request_ = order.sequence;
        hooks_request_ = 0;
        failed_.clear();
        enter(Phase::Accepted, seen.boottime);
        return;
    }
    bool const answers_stopping = call.heartbeat && call.status == HeartbeatStatus::Stopping &&
                                  call.phase == phase_ && !call.blocked;
    switch (phase_) {
    case Phase::Accepted:
        if (answers_stopping && !hooks_run_)
            phase_ = Phase::Preparing;
        return;
    case Phase::Asking:
        if (answers_stopping) {
            phase_ = Phase::Ready;
            asked_ = call.sent;
        }
        return;
    case Phase::On:
    case Phase::Preparing:
    case Phase::Ready:
    case Phase::Refused:
    case Phase::Acted: return;
    }
}

void Conduct::hooks_ended(Observation const& seen, std::string const& failed_hook) {
    hooks_run_ = false;
    bool const stands =
        seen.identity == identity_ && phase_ == Phase::Preparing && hooks_request_ == request_;
    if (!stands)
        return;
    if (failed_hook.empty()) {
        enter(Phase::Asking, seen.boottime);
        return;
    }
    failed_ = plain_line(fmt::format("hook {} failed", failed_hook));
    findings_.step(fmt::format("request {} is not carried out: {}", request_, failed_));
    enter(Phase::Refused, seen.boottime);
}

bool Conduct::may_act(Observation const& seen) {
    if (phase_ != Phase::Acted)
        return false;
    bool const stands = seen.identity == identity_ && seen.leaving == Leaving::No &&
                        veto(seen).empty() && seen.boottime - asked_ <= kNonceLife;
    if (!stands)
        enter(Phase::Asking, seen.boottime);
    return stands;
}

void Conduct::act_failed(Observation const& seen, std::string const& why) {
    if (seen.identity != identity_ || phase_ != Phase::Acted)
        return;
    failed_ = plain_line(why);
    findings_.step(fmt::format("request {} was not carried out: {}", request_, failed_));
    enter(Phase::Refused, seen.boottime);
}

void Conduct::token_renewed() {
    has_previous_token_ = true;
    uses_previous_token_ = false;
    tried_previous_token_ = false;
}

/// Takes a head that is genuine and not lower than the one held (HTTP 3.3); false, with a finding,
/// when it is not. A head without a signature counts only from a manager that has never signed one:
/// whoever can strip a signature could make up a head above all that will ever come.
bool Conduct::take_head(Head const& head) {
    bool const is_signed = !head.signature.empty();
    if ((is_signed && !is_genuine(head, key_)) ||
        (!is_signed && head_ && !head_->signature.empty()))
        return trouble("the head of the manager's event log is not signed by the manager");
    if (head_) {
        bool const is_older = head.epoch < head_->epoch ||
                              (head.epoch == head_->epoch && head.sequence < head_->sequence);
        bool const is_other = head.epoch == head_->epoch && head.sequence == head_->sequence &&
                              head.hash != head_->hash;
        if (is_older || is_other)
            return trouble("the manager's event log is older than it was: no order is obeyed");
    }
    head_ = head;
    return true;
}

HeartbeatStatus Conduct::status() const {
    return phase_ == Phase::On ? HeartbeatStatus::On : HeartbeatStatus::Stopping;
}

/// What keeps the machine from going down in the way it was told to, else from powering off.
std::string Conduct::veto(Observation const& seen) const {
    bool const sleeps = phase_ != Phase::On && method_ != OffMethod::PowerOff;
    return seen.blocked_by.empty() && sleeps ? seen.sleep_blocked_by : seen.blocked_by;
}

std::string Conduct::blocked_by(Observation const& seen) const {
    if (phase_ == Phase::Refused)
        return failed_;
    return phase_ == Phase::Acted ? std::string{} : veto(seen);
}

Memory Conduct::memory() const {
    auto const said = phase_ == Phase::On      ? Memory::Said::On
                      : phase_ == Phase::Acted ? Memory::Said::Acted
                                               : Memory::Said::Stopping;
    return {
        .identity = identity_,
        .said = said,
        .request = request_,
        .failed = failed_,
        .last_report = last_report_,
        .head = head_,
    };
}

/// Notes what was found wrong; always false.
bool Conduct::trouble(std::string text) {
    findings_.trouble(std::move(text));
    return false;
}

} // namespace cpm::agent
