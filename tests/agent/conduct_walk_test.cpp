// Random walks through everything that can happen to an agent, judged by a second, simpler account
// of when an act is allowed; and many agents at once.
#include "tests/agent/bench.hpp"

#include <random>

using namespace cpm::agent;
using namespace cpm::agent::test;

namespace {

/// When an act is allowed, told by what was said and heard alone (4, OFF).
struct Account {
    enum class Stage { Up, Ordered, Acknowledged, HooksRun, Confirmed };

    void heard(Report const& said, Answer const& answer, bool genuine, microseconds age) {
        bool const free = said.blocked_by.empty() && said.leaving == Leaving::No;
        if (answer.power_status == cpm::core::PowerStatus::On) {
            stage = Stage::Up;
            hooks_are_its_own = false;
            return;
        }
        if (!genuine || age > seconds(90))
            return;
        auto const sequence = answer.order->sequence;
        if (stage == Stage::Up || sequence != request) {
            stage = Stage::Ordered;
            hooks_are_its_own = false;
            request = sequence;
            return;
        }
        if (!Bench::is_stopping(said) || !free)
            return;
        if (stage == Stage::Ordered)
            stage = Stage::Acknowledged;
        else if (stage == Stage::HooksRun && said.report >= hooks_ended)
            stage = Stage::Confirmed;
    }

    Stage stage = Stage::Up;
    bool hooks_are_its_own = false; ///< those that run were begun for this request
    std::uint64_t request = 0;
    microseconds hooks_ended{};
};

class Walk {
  public:
    explicit Walk(std::uint64_t seed)
        : random_(seed) {}

    int acts = 0;
    bool gone = false;

    void step() {
        auto const step = bench_.next();
        bool const up_to_now = !gone;
        if (auto const* heartbeat = std::get_if<SendHeartbeat>(&step)) {
            if (gone)
                CHECK(Bench::is_stopping(heartbeat->report));
            CHECK(heartbeat->report.report > last_report_);
            last_report_ = heartbeat->report.report;
            answer(heartbeat->report);
        } else if (auto const* hold = std::get_if<HoldManifest>(&step)) {
            Report said{.identity = bench_.identity, .nonce = hold->question.nonce};
            chance(50) ? bench_.tell(Unchanged{}) : answer(said);
        } else if (std::holds_alternative<RunHooks>(step)) {
            CHECK(account_.stage >= Account::Stage::Acknowledged);
            CHECK_FALSE(hooks_run_);
            hooks_run_ = account_.hooks_are_its_own = true;
        } else if (std::holds_alternative<Act>(step)) {
            REQUIRE(up_to_now);
            REQUIRE(account_.stage == Account::Stage::Confirmed);
            REQUIRE(bench_.blocked_by.empty());
            REQUIRE(bench_.leaving == Leaving::No);
            gone = true;
            ++acts;
        } else {
            bench_.now = std::max(bench_.now, std::get<Rest>(step).until);
        }
        happen();
    }

  private:
    bool chance(unsigned percent) { return random_() % 100 < percent; }

    void answer(Report const& said) {
        auto const sent = bench_.now;
        bench_.now += std::chrono::milliseconds(chance(3) ? 100'000 : random_() % 2000);
        if (chance(2))
            resume();
        if (chance(10)) {
            bench_.tell(Failure{.kind = {}, .detail = "away"});
            return;
        }
        if (chance(2)) {
            bench_.conduct.cut();
            return;
        }
        if (chance(15))
            request_ += random_() % 2;
        auto told = chance(12) ? bench_.on() : bench_.off(said.nonce, request_);
        bool genuine = told.order.has_value();
        if (told.order && chance(10)) {
            genuine = false;
            chance(50) ? told.order.reset() : void(told.order->nonce[0] ^= 1);
        }
        bool const is_same_side = said.identity == bench_.identity;
        bench_.tell(told);
        if (is_same_side && !gone)
            account_.heard(said, told, genuine, bench_.now - sent);
    }

    void happen() {
        if (hooks_run_ && chance(40)) {
            hooks_run_ = false;
            bool const counts =
                account_.stage == Account::Stage::Acknowledged && account_.hooks_are_its_own;
            bench_.conduct.hooks_ended(bench_.seen(), "");
            if (counts) {
                account_.stage = Account::Stage::HooksRun;
                account_.hooks_ended = bench_.now;
            }
        }
        if (chance(3))
            bench_.blocked_by = bench_.blocked_by.empty() ? "hold" : "";
        if (chance(1))
            bench_.leaving = bench_.leaving == Leaving::No ? Leaving::Reboot : Leaving::No;
        if (chance(1))
            resume();
    }

    void resume() {
        ++bench_.identity.resume_count;
        bench_.now += seconds(1000);
        account_.stage = Account::Stage::Up;
        account_.hooks_are_its_own = false;
        gone = false;
    }

    std::mt19937_64 random_;
    Bench bench_;
    Account account_;
    std::uint64_t request_ = 7;
    bool hooks_run_ = false;
    microseconds last_report_{};
};

} // namespace

TEST_CASE("conduct: on no random walk is there an act that was not asked for twice (1.0.2)") {
    int acts = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        CAPTURE(seed);
        Walk walk(seed);
        for (int i = 0; i < 400; ++i)
            walk.step();
        acts += walk.acts;
    }
    MESSAGE("acts: ", acts);
    CHECK(acts > 200); // the walks do reach it
}

TEST_CASE("conduct: 200 agents come back without a peak over twice the steady rate (4)") {
    constexpr int kAgents = 200;
    for (auto const outage : {seconds(5), seconds(60), seconds(600), seconds(3600)}) {
        CAPTURE(outage.count());
        microseconds const begins = seconds(300);
        microseconds const ends = begins + outage;
        microseconds const end = ends + seconds(900);
        std::vector<int> in_second(static_cast<std::size_t>(end / seconds(1)) + 2);
        for (int i = 0; i < kAgents; ++i) {
            Bench bench;
            bench.now = std::chrono::milliseconds(randombytes_uniform(10'000));
            while (bench.now < end) {
                auto const step = bench.next();
                bool const is_away = bench.now >= begins && bench.now < ends;
                if (auto const* rest = std::get_if<Rest>(&step))
                    bench.now = std::max(bench.now, rest->until);
                else if (auto const* hold = std::get_if<HoldManifest>(&step)) {
                    // A held call breaks for all at the same moment.
                    bool const breaks =
                        is_away || (bench.now < begins && bench.now + hold->question.wait > begins);
                    bench.now = breaks && !is_away ? begins : bench.now + hold->question.wait;
                    breaks ? bench.tell(Failure{}) : bench.tell(Unchanged{});
                } else {
                    ++in_second[static_cast<std::size_t>(bench.now / seconds(1))];
                    is_away ? bench.tell(Failure{.kind = {}, .detail = "away"})
                            : bench.tell(bench.on());
                }
            }
        }
        auto const busiest = [&](auto first, auto last) {
            int most = 0; // in any five seconds
            for (auto at = first / seconds(1); at + 5 <= last / seconds(1); ++at) {
                int sum = 0;
                for (int i = 0; i < 5; ++i)
                    sum += in_second[static_cast<std::size_t>(at + i)];
                most = std::max(most, sum);
            }
            return most;
        };
        double const steady = kAgents * 5 / 8.75;
        CHECK(busiest(begins, end) <= 2 * steady);
        MESSAGE(outage.count(), " s away: ", busiest(begins, end) / steady, " of the steady rate");
    }
}
