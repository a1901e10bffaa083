#include "tests/core/model/model.hpp"

#include <algorithm>

namespace model {
namespace {

constexpr std::size_t kGhosts = 16;

bool off_is_alive(Machine const& now) {
    if (now.should_run || !now.ask || !now.ask->is_order)
        return false;
    return !now.ask->time_is_up || now.ask->obeyed;
}

bool is_settled(Machine const& now) {
    auto const status = conclude(now).status;
    return now.should_run ? status == "ON" || status == "ManuallyON" : status == "OFF";
}

bool is_waiting(Machine const& now) {
    return now.ask && !now.ask->time_is_up;
}

/// Every decision about a server ends here.
Outcome settle(Outcome outcome, Rules rules) {
    auto& now = outcome.then;
    if (rules.releases_when_settled && is_waiting(now) && is_settled(now)) {
        now.ask->time_is_up = true;
        outcome.logged.emplace_back("StandbyReleased");
    }
    return outcome;
}

void forget_order(Machine& now) {
    if (now.ask)
        now.ask->is_order = now.ask->obeyed = false;
}

void forget_obedience(Machine& now) {
    if (now.ask)
        now.ask->obeyed = false;
}

void push(Machine& now, Sign sign) {
    now.heard = {now.heard[1], sign};
}

std::string word(Sign sign) {
    return sign == Sign::Up ? "ON" : sign == Sign::GoingDown ? "Stopping" : "None";
}

/// A report that does not count; nothing when it does.
std::optional<Outcome> disregard(Machine const& now, Speech const& speech) {
    if (!speech.who)
        return std::nullopt;
    if (speech.who == now.who) {
        bool const overtaken = speech.count && now.count && *speech.count <= *now.count;
        return overtaken ? std::optional<Outcome>({now, {"ReportIgnored"}}) : std::nullopt;
    }
    Outcome outcome{now, {"ReportIgnored"}};
    for (auto& ghost : outcome.then.ghosts) {
        if (ghost.who != *speech.who)
            continue;
        forget_order(outcome.then);
        if (ghost.has_spoken && !now.distrusted) {
            outcome.logged.emplace_back("AgentSetAside");
            outcome.then.distrusted = true;
        }
        ghost.has_spoken = true;
        return outcome;
    }
    return std::nullopt;
}

void meet(Machine& now, int who) {
    if (now.who)
        now.ghosts.insert(now.ghosts.begin(), Ghost{*now.who, false});
    if (now.ghosts.size() > kGhosts)
        now.ghosts.pop_back();
    now.who = who;
    now.count.reset();
}

} // namespace

Outcome ask_for(Machine const& now, bool off, std::int64_t number, Rules rules) {
    if (is_waiting(now))
        return settle({now, {"PowerRefused"}}, rules);
    if (now.should_run != off && is_settled(now))
        return {now, {}};
    if (off && now.distrusted)
        return settle({now, {"PowerRefused"}}, rules);

    Outcome outcome{now, {"PowerRequested"}};
    auto& then = outcome.then;
    then.should_run = !off;
    then.by_hand = false;
    then.heard[0] = then.heard[1];
    Ask ask;
    ask.number = number;
    ask.for_off = off;
    ask.is_order = off && now.heard[1] != Sign::Silent;
    ask.seen_up = off || now.heard[1] == Sign::Up;
    ask.of_known = now.has_spoken;
    then.ask = ask;
    return settle(std::move(outcome), rules);
}

Outcome hear(Machine const& now, Speech const& speech, Rules rules) {
    if (auto ignored = disregard(now, speech))
        return settle(std::move(*ignored), rules);

    bool const stranger = speech.who && speech.who != now.who;
    bool const off_was_alive = off_is_alive(now);
    Outcome outcome{now, {"HeartbeatReceived"}};
    auto& then = outcome.then;
    push(then, speech.sign);
    then.by_hand = false;
    then.hindered = speech.hindered;
    then.has_spoken = true;
    if (stranger) {
        meet(then, *speech.who);
        forget_order(then);
    }
    if (speech.who && speech.count)
        then.count = speech.count;
    if (then.ask) {
        then.ask->seen_up |= speech.sign == Sign::Up;
        then.ask->obeyed =
            speech.sign == Sign::GoingDown && !speech.hindered && !stranger && off_was_alive;
    }

    bool const in_spite_of_off = speech.sign == Sign::Up && !now.should_run;
    bool const nothing_new = now.heard[1] == Sign::Up && !stranger;
    if (in_spite_of_off && !nothing_new) {
        bool const same_boot = speech.who && !stranger;
        if (now.heard[1] != Sign::Up && same_boot && is_waiting(now) && now.ask->is_order) {
            outcome.logged.emplace_back("PowerReasserted");
            then.heard[0] = Sign::Up;
        } else {
            outcome.logged.emplace_back("PowerAdopted");
            bool const had_gone_off = conclude(now).reason == "OFF/Stopping/None";
            outcome.people_are_told = now.ask && now.ask->for_off && (!had_gone_off || same_boot);
            then.should_run = true;
            then.ask.reset();
            then.by_hand = true;
        }
    }
    return settle(std::move(outcome), rules);
}

Outcome miss(Machine const& now, Rules rules) {
    if (now.heard[1] == Sign::Silent)
        return {now, {}};
    Outcome outcome{now, {"HeartbeatLost"}};
    push(outcome.then, Sign::Silent);
    outcome.then.by_hand = false;
    forget_obedience(outcome.then);
    return settle(std::move(outcome), rules);
}

Outcome time_up(Machine const& now, Rules rules) {
    if (!is_waiting(now))
        return {now, {}};
    Outcome outcome{now, {"StandbyElapsed"}};
    outcome.then.ask->time_is_up = true;
    return settle(std::move(outcome), rules);
}

Outcome join(Machine const& now, Rules rules) {
    Outcome outcome{now, {"AgentJoined"}};
    outcome.then.who.reset();
    outcome.then.count.reset();
    outcome.then.ghosts.clear();
    outcome.then.distrusted = false;
    outcome.then.has_spoken = false;
    if (outcome.then.ask)
        outcome.then.ask->of_known = false;
    forget_obedience(outcome.then);
    return settle(std::move(outcome), rules);
}

Outcome trust_again(Machine const& now, Rules rules) {
    Outcome outcome{now, {"AgentReinstated"}};
    outcome.then.distrusted = false;
    for (auto& ghost : outcome.then.ghosts)
        ghost.has_spoken = false;
    return settle(std::move(outcome), rules);
}

Outcome manager_start(Machine const& now) {
    Outcome outcome{now, {"ManagerStarted"}};
    forget_obedience(outcome.then);
    return outcome;
}

Outcome accept_rollback(Machine const& now) {
    Outcome outcome{now, {"RollbackAccepted"}};
    forget_order(outcome.then);
    return outcome;
}

Outcome note(Machine const& now, std::string name, Rules rules) {
    return settle({now, {std::move(name)}}, rules);
}

Outcome take_back(Machine const& now, Machine const& before, Rules rules) {
    Outcome outcome{now, {"PowerWithdrawn"}};
    outcome.then.should_run = before.should_run;
    outcome.then.heard = before.heard;
    outcome.then.ask = before.ask;
    outcome.then.by_hand = false;
    forget_order(outcome.then);
    return settle(std::move(outcome), rules);
}

Conclusion conclude(Machine const& now) {
    auto const [before, last] = now.heard;
    std::string const row = (now.should_run ? "ON/" : "OFF/") + word(before) + "/" + word(last);
    bool const late = !is_waiting(now);
    if (now.by_hand)
        return {"ManuallyON", "adopted"};
    if (now.should_run) {
        if (last == Sign::Silent && now.ask && !now.ask->seen_up)
            return {late ? "StartupDelayed" : "Starting", "S"};
        if (last == Sign::Up && before != Sign::GoingDown)
            return {"ON", row};
        return {last == Sign::Silent && before == Sign::Up ? "Crashed" : "Unknown", row};
    }
    switch (last) {
    case Sign::Silent:
        if (before == Sign::Silent && now.ask)
            return {"OFF", "A"};
        if (now.hindered)
            return {"Unknown", "B"};
        if (before == Sign::Silent)
            return {"Unknown", row};
        return {before == Sign::Up ? "Crashed" : "OFF", row};
    case Sign::GoingDown:
        if (before == Sign::Silent)
            return {"Unknown", row};
        return {late ? "ShutdownDelayed" : "Stopping", row};
    case Sign::Up:
        if (before == Sign::Up)
            return {late ? "Unknown" : "BeforeStopping", row};
        return {"ManuallyON", row};
    }
    return {};
}

Told tell(Machine const& now, Caller const& caller) {
    if (!off_is_alive(now))
        return Told::On;
    bool const on_record = caller.who && caller.who == now.who;
    bool const nobody = !caller.who;
    if (caller.log_rolled_back || now.distrusted || !caller.word_counted || !(on_record || nobody))
        return Told::OnWithNotice;
    if (on_record && caller.sent_nonce)
        return Told::OffWithOrder;
    if (caller.unsigned_will_do && (on_record || (caller.by_heartbeat && now.ask->of_known)))
        return Told::OffUnsigned;
    return Told::OnWithNotice;
}

} // namespace model
