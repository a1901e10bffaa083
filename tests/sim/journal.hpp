#pragma once

#include "tests/sim/faults.hpp"
#include "tests/sim/schedule.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace cpm::sim {

/// What must hold after every event (docs/reliability.md); a violation names one.
enum class Invariant : std::uint8_t {
    NoOffWithoutRequest, ///< 1
    OrderFitsOneAct,     ///< 2
    NewOnWins,           ///< 3
    SilenceIsEvidence,   ///< 4
    AnsweredIsKept,      ///< 5: 2xx is in the log, exactly once
    ReplayIsLive,        ///< 5
    DeadlinesOnTime,     ///< once, never early, at most 100 ms late
    StatusAsTheModelSays,
    GuardsHold, ///< status model 1.4, "Power requests"
    VetoHolds,  ///< the machine owner's: a hold, or a required hook that failed
    AgentsSayWhatIsSo,
    WakesAreSent, ///< 1.6
    NothingGrows,
    AgentsAskAgain,   ///< afterwards
    EveryStatusTrue,  ///< afterwards
    EveryRequestEnds, ///< afterwards
    Runs,             ///< the product itself found something impossible, or could not go on
};
inline constexpr std::array<std::string_view, 17> kInvariantNames{
    "1: no OFF without a request",
    "2: an order fits one act",
    "3: a new ON wins",
    "4: silence is evidence only to a listener",
    "5: what was answered is kept",
    "5: replay is what is served",
    "deadlines fire once and on time",
    "statuses are as the model says",
    "requests pass their guards",
    "an owner's veto holds",
    "agents say what is so",
    "magic packets are sent when they are due",
    "nothing grows without bound",
    "afterwards every agent asks within its back-off",
    "afterwards every status is true within three timeouts",
    "afterwards every request has ended",
    "the product goes on",
};

constexpr std::string_view to_string(Invariant invariant) {
    return kInvariantNames[static_cast<std::size_t>(invariant)];
}

class Violation : public std::runtime_error {
  public:
    Violation(Invariant broken, std::string const& what)
        : std::runtime_error(what)
        , invariant(broken) {}
    Invariant invariant;
};

/// What happened in a run: faults by kind, one number over all answers and effects, and, when it is
/// to be read, a line each.
class Journal {
  public:
    /// `tells`: prints each line; `kept`: of so many it remembers the last ones.
    Journal(Schedule const& schedule, bool tells, std::size_t kept)
        : schedule_(schedule)
        , prints_(tells)
        , kept_(kept)
        , tells_(tells || kept > 0) {}

    bool tells() const { return tells_; }
    std::deque<std::string> const& last_lines() const { return lines_; }
    template <class... Parts>
    void tell(fmt::format_string<Parts...> form, Parts&&... parts) {
        if (tells_)
            line(fmt::format(form, std::forward<Parts>(parts)...));
    }
    template <class... Parts>
    void fault(Fault fault, fmt::format_string<Parts...> form, Parts&&... parts) {
        ++counts_[static_cast<std::size_t>(fault)];
        if (tells_)
            line(fmt::format(
                "*** {}: {}", to_string(fault), fmt::format(form, std::forward<Parts>(parts)...)
            ));
    }
    void count(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }

    /// Answers and effects, in their order and at their time.
    void effect(std::uint64_t value) {
        sum_ = (sum_ ^ value) * 0x9e3779b97f4a7c15;
        sum_ ^= sum_ >> 29;
        sum_ += static_cast<std::uint64_t>(schedule_.now().count());
    }
    void effect(std::string_view text) {
        std::uint64_t value = 0xcbf29ce484222325;
        for (char const c : text)
            value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        effect(value);
    }

    FaultCounts const& counts() const { return counts_; }
    std::uint64_t sum() const { return sum_; }

  private:
    void line(std::string const& text) {
        auto const ms = schedule_.now().count() / 1'000'000;
        auto whole = fmt::format(
            "{:3}:{:02}:{:02}.{:03} {}",
            ms / 3'600'000,
            ms / 60'000 % 60,
            ms / 1000 % 60,
            ms % 1000,
            text
        );
        if (prints_)
            fmt::print("{}\n", whole);
        if (kept_ == 0)
            return;
        lines_.push_back(std::move(whole));
        if (lines_.size() > kept_)
            lines_.pop_front();
    }

    Schedule const& schedule_;
    bool prints_;
    std::size_t kept_;
    bool tells_;
    std::deque<std::string> lines_;
    FaultCounts counts_{};
    std::uint64_t sum_ = 0;
};

[[noreturn]] inline void violated(Invariant invariant, std::string const& what) {
    throw Violation(invariant, what);
}

} // namespace cpm::sim
