#pragma once

#include "core/result.hpp"
#include "manager/idempotency.hpp"
#include "manager/turn.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace cpm::manager {

/// One command under way: decided in a round, answered when the round's batch is durable.
class Job {
  public:
    virtual ~Job() = default;
    /// A change that somebody waits for and can ask for again: refused first when the disk fills
    /// up, and not done when it waited too long (Writer). Reports of agents, and signing in to see
    /// what is wrong, go on.
    virtual bool is_refused_first() const = 0;
    virtual void decide(Turn& turn) = 0;
    /// Called exactly once, after decide() if that was called: with success once the batch is
    /// durable, else with why nothing was promised. Must not block.
    virtual void answer(core::Result<void> const& durable) = 0;
};

/// A command whose answer is rendered in the round itself, so that it can be remembered in the
/// batch of its events (Idempotency-Key) and shows the state that very decision led to.
template <class Command>
struct Rendered {
    using Outcome = Answer;
    static constexpr bool kRefusedFirst = Command::kRefusedFirst;
    Command command;
    std::optional<IdempotencyKey> key;
    std::function<Answer(Turn const&, typename Command::Outcome&&)> render;
};

template <class Command>
core::Result<Answer> decide(Turn& turn, Rendered<Command> const& rendered) {
    if (rendered.key) {
        auto known = turn.idempotency().find(*rendered.key, turn.now().wall);
        if (!known)
            return tl::make_unexpected(known.error());
        if (*known)
            return std::move(**known);
    }
    auto outcome = decide(turn, rendered.command);
    if (!outcome)
        return tl::make_unexpected(outcome.error());
    auto answer = rendered.render(turn, std::move(*outcome));
    if (rendered.key)
        for (auto& record : turn.idempotency().remember(*rendered.key, answer, turn.now().wall))
            turn.change(std::move(record));
    return answer;
}

/// A command and whom to tell its outcome: `tell(core::Result<Command::Outcome>&&)`.
template <class Command, class Tell>
class CommandJob final : public Job {
  public:
    using Outcome = core::Result<typename Command::Outcome>;

    CommandJob(Command command, Tell tell)
        : command_(std::move(command))
        , tell_(std::move(tell)) {}

    bool is_refused_first() const override { return Command::kRefusedFirst; }

    void decide(Turn& turn) override {
        using manager::decide;
        outcome_ = decide(turn, command_);
    }

    void answer(core::Result<void> const& durable) override {
        // A refusal stands whether or not the batch is durable, but its audit event is part of the
        // batch: one rule.
        if (!durable)
            tell_(Outcome{tl::make_unexpected(durable.error())});
        else
            tell_(std::move(*outcome_));
    }

  private:
    Command command_;
    Tell tell_;
    std::optional<Outcome> outcome_;
};

} // namespace cpm::manager
