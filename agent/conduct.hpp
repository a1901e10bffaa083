#pragma once

#include "agent/findings.hpp"
#include "agent/steps.hpp"

#include <algorithm>
#include <vector>

namespace cpm::agent {

/// What an agent does, without doing it: the rules of the agent's side of the status model.
///
/// Operation: `next` says what to do; its call's outcome is told by `answered` (or `cut` when it
/// was given up), then `next` is asked again; also as soon as the observation may have changed.
/// Nothing but an order that check_order finds genuine, twice, before and after the hooks, leads to
/// Act; no answer, a wrong one and a late one never do. Concurrency: none; no clock, no I/O.
/// Limitations: one call at a time, so no answer overtakes another.
class Conduct {
  public:
    /// `remembered` of another boot is dropped but for its head.
    Conduct(
        std::string server_id,
        OrderKey const& key,
        BootIdentity const& identity,
        std::optional<Memory> const& remembered,
        bool has_previous_token
    );

    Step next(Observation const& seen);
    void answered(Observation const& seen, Outcome const& outcome);
    /// There is something beside its status that the manager should know: within a second, so that
    /// who makes up such answers does not make it spin.
    void report_soon() { due_ = std::min<microseconds>(due_, last_report_ + seconds(1)); }
    /// The held call was given up unanswered.
    void cut() { call_.reset(); }
    /// `failed_hook`: the required hook that failed; empty: none.
    void hooks_ended(Observation const& seen, std::string const& failed_hook);
    /// Whether an Act may still be carried out, asked right before it: a disk or a journal that
    /// hangs may have kept the agent since `next`. False: it asks the manager anew.
    bool may_act(Observation const& seen);
    /// It has a new token; what was the token is the previous one now.
    void token_renewed();
    /// The act was refused, or taken back by the system: the machine stays up until it is told ON.
    void act_failed(Observation const& seen, std::string const& why);

    /// To be kept before the step is done, so that a restarted agent goes on with it.
    Memory memory() const;
    /// What happened since the last look that people should read, once each.
    std::vector<std::string> take_findings() { return findings_.take(); }
    /// The `leaving` of the observation was told, or could not be.
    bool said_goodbye() const { return leaving_said_ != Leaving::No; }

  private:
    enum class Phase : std::uint8_t {
        On,
        Accepted,  ///< a genuine order came; Stopping is to be said, and acknowledged
        Preparing, ///< the hooks run
        Asking,    ///< they have; asks once more
        Ready,     ///< the second answer was an order, too
        Refused,   ///< Stopping, but it will not be: see failed_
        Acted,
    };
    struct Call {
        bool heartbeat = false;
        core::HeartbeatStatus status{};
        bool blocked = false;
        Phase phase{};
        Leaving leaving{};
        BootIdentity identity;
        std::string nonce;
        microseconds sent{};
    };

    void begin(BootIdentity const& identity);
    void enter(Phase phase, microseconds now);
    Step heartbeat(Observation const& seen);
    Step hold_or_rest(Observation const& seen);
    void failed(Observation const& seen, Call const& call, Failure const& failure);
    void taken(Observation const& seen, Call const& call, Answer const& answer);
    bool obey(Observation const& seen, Call const& call, Answer const& answer);
    bool told_off(Observation const& seen, Call const& call, Answer const& answer);
    void ordered(Observation const& seen, Call const& call, SignedOrder const& order);
    bool take_head(Head const& head);
    core::HeartbeatStatus status() const;
    std::string veto(Observation const& seen) const;
    std::string blocked_by(Observation const& seen) const;
    bool trouble(std::string text);

    std::string server_id_;
    OrderKey key_;
    bool has_previous_token_;
    bool uses_previous_token_ = false;
    bool tried_previous_token_ = false;

    BootIdentity identity_;
    Phase phase_ = Phase::On;
    std::uint64_t request_ = 0;
    OffMethod method_{};   ///< of the last genuine order
    microseconds asked_{}; ///< when the nonce of the order that made it Ready was sent
    std::string failed_;
    bool hooks_run_ = false;
    std::uint64_t hooks_request_ = 0; ///< 0: begun for what no longer holds

    bool acknowledged_ = false; ///< a heartbeat of this identity (and process) was
    bool hold_spent_ = false;   ///< not again before the next heartbeat
    std::string version_;
    seconds interval_{10};
    unsigned failures_ = 0;
    microseconds due_{}; ///< of the next heartbeat
    microseconds last_report_{};
    std::string blocked_said_;
    Leaving leaving_said_ = Leaving::No;
    std::optional<Call> call_;
    std::optional<Head> head_;
    Findings findings_;
};

} // namespace cpm::agent
