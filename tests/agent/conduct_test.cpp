// The agent's side of the status model, station by station: an OFF from the first order to the act.
#include "tests/agent/bench.hpp"

using namespace cpm::agent;
using namespace cpm::agent::test;
using cpm::core::HeartbeatStatus;
using std::chrono::minutes;

namespace {

constexpr auto is_stopping = Bench::is_stopping;

} // namespace

TEST_CASE("conduct: the first report after a boot is ON, until one is acknowledged (1.1)") {
    Bench bench;
    for (int i = 0; i < 5; ++i) {
        CHECK_FALSE(is_stopping(bench.report()));
        bench.tell(Failure{.kind = {}, .detail = "no connection"});
        CHECK(std::holds_alternative<Rest>(bench.next())); // no manifest call before (3.3)
    }
    bench.report_and_hear_on();
    auto const hold = bench.must<HoldManifest>();
    CHECK(hold.question.known_version == "ON.10");
}

TEST_CASE("conduct: the manifest is held only until the next heartbeat is due (4)") {
    Bench bench;
    auto answer = bench.on();
    answer.heartbeat_interval = seconds(200);
    bench.report();
    auto const sent = bench.now;
    bench.tell(answer);
    while (true) {
        auto const step = bench.next();
        auto const* hold = std::get_if<HoldManifest>(&step);
        if (!hold)
            break;
        CHECK(hold->question.wait <= seconds(60));
        bench.now += hold->question.wait;
        bench.tell(Unchanged{});
    }
    // The jitter may also end on a whole second: then the last hold ended when it is due.
    auto const step = bench.next();
    auto const* rest = std::get_if<Rest>(&step);
    auto const due = rest ? rest->until : bench.now;
    CHECK((rest || std::holds_alternative<SendHeartbeat>(step)));
    CHECK(due - bench.now < seconds(1));
    CHECK(due - sent >= seconds(160)); // jitter, never later than the interval
    CHECK(due - sent <= seconds(190));
}

TEST_CASE("conduct: report rises, also within one microsecond and over a restart (3.3)") {
    Bench bench;
    auto const first = bench.report();
    bench.tell(bench.on());
    bench.blocked_by = "hold";
    CHECK(bench.report().report > first.report);
    Bench restarted(bench.conduct.memory());
    CHECK(restarted.report().report > bench.conduct.memory().last_report);
}

TEST_CASE("conduct: each question has a nonce of its own") {
    Bench bench;
    auto const first = bench.report();
    bench.tell(bench.on());
    auto const hold = bench.must<HoldManifest>();
    CHECK(first.nonce.size() == 32);
    CHECK(hold.question.nonce.size() == 32);
    CHECK(first.nonce != hold.question.nonce);
}

TEST_CASE("conduct: OFF is Stopping, hooks, a second question, the act, in this order (4, OFF)") {
    Bench bench;
    bench.come_up();
    auto const hold = bench.must<HoldManifest>();
    bench.tell(bench.off(hold.question.nonce));

    auto const stopping = bench.must<SendHeartbeat>().report; // at once
    CHECK(is_stopping(stopping));
    bench.tell(bench.off(stopping.nonce));
    bench.must<RunHooks>();
    CHECK(is_stopping(bench.report())); // goes on reporting while they run
    bench.tell(bench.off(bench.last.report.nonce));
    bench.conduct.hooks_ended(bench.seen(), "");

    auto const question = bench.must<SendHeartbeat>().report; // at once
    CHECK(is_stopping(question));
    bench.tell(bench.off(question.nonce));
    CHECK(bench.must<Act>().method == OffMethod::PowerOff);
}

TEST_CASE("conduct: it acts once, and says Stopping to the end whatever it is told (4, OFF)") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.must<Act>();
    for (int i = 0; i < 20; ++i) {
        CHECK(is_stopping(bench.report()));
        bench.tell(i % 2 == 0 ? bench.on() : bench.off(bench.last.report.nonce, i < 10 ? 7 : 8));
        CHECK(std::holds_alternative<Rest>(bench.next()));
    }
}

TEST_CASE("conduct: an ON before the act brings it back, at each station (4, OFF)") {
    auto const stations = {&Bench::come_up, &Bench::run_hooks, &Bench::ask_again};
    for (auto const station : stations) {
        Bench bench;
        (bench.*station)();
        if (station == stations.begin()[0])
            bench.report_and_hear_off();
        CHECK(is_stopping(bench.report()));
        bench.tell(bench.on());
        auto const back = bench.must<SendHeartbeat>().report; // at once
        CHECK_FALSE(is_stopping(back));
        bench.tell(bench.on());
        bench.stays_up();
    }
}

TEST_CASE("conduct: hooks that outlast the standby while somebody asks ON change nothing (4)") {
    Bench bench;
    bench.run_hooks();
    for (int i = 0; i < 10; ++i)
        bench.report_and_hear_off();
    auto const hold = bench.must<HoldManifest>();
    CHECK_FALSE(hold.question.nonce.empty());
    bench.tell(bench.on()); // told over the held call
    CHECK_FALSE(is_stopping(bench.must<SendHeartbeat>().report));
    bench.tell(bench.on());
    bench.conduct.hooks_ended(bench.seen(), "");
    CHECK_FALSE(is_stopping(bench.report()));
    bench.tell(bench.on());
    bench.stays_up();
}

TEST_CASE("conduct: an OFF after that ON waits for the old hooks, and has them run again") {
    Bench bench;
    bench.run_hooks();
    bench.report_and_hear_on();
    bench.report_and_hear_off(8);
    CHECK(is_stopping(bench.report_and_hear_off(8)));
    CHECK_FALSE(std::holds_alternative<RunHooks>(bench.next())); // the old ones still run
    bench.conduct.cut();
    bench.conduct.hooks_ended(bench.seen(), "");
    bench.report_and_hear_off(8);
    bench.must<RunHooks>();
}

TEST_CASE("conduct: the second answer must carry an order of the same request (4, OFF)") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off(8);
    CHECK_FALSE(std::holds_alternative<Act>(bench.next())); // a new request begins anew
    bench.tell(bench.off("x", 8));
    bench.report_and_hear_off(8);
    bench.must<RunHooks>();
}

TEST_CASE("conduct: the second question is a heartbeat, not a held call") {
    Bench bench;
    bench.ask_again();
    bench.report(); // answered without an order: the question stands
    bench.tell(Answer{
        .power_status = cpm::core::PowerStatus::Off, .manifest_version = "v", .head = bench.head});
    auto const hold = bench.must<HoldManifest>();
    bench.tell(bench.off(hold.question.nonce));
    CHECK_FALSE(std::holds_alternative<Act>(bench.next()));
}

TEST_CASE("conduct: a question that was asked while the hooks ran is not the second one") {
    Bench bench;
    bench.run_hooks();
    auto const asked = bench.report();
    bench.conduct.hooks_ended(bench.seen(), "");
    bench.tell(bench.off(asked.nonce));
    CHECK(is_stopping(bench.must<SendHeartbeat>().report));
}

TEST_CASE("conduct: between the second answer and the act a nonce may not grow old") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.now += seconds(91);
    CHECK_FALSE(std::holds_alternative<Act>(bench.next()));
}

TEST_CASE("conduct: an act that was kept waiting is asked for anew (4, OFF)") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.must<Act>();
    CHECK(bench.conduct.may_act(bench.seen()));
    bench.now += seconds(91);
    CHECK_FALSE(bench.conduct.may_act(bench.seen()));
    bench.report_and_hear_off();
    bench.must<Act>();
    CHECK(bench.conduct.may_act(bench.seen()));
    ++bench.identity.resume_count;
    CHECK_FALSE(bench.conduct.may_act(bench.seen()));
    CHECK_FALSE(is_stopping(bench.must<SendHeartbeat>().report));
}

TEST_CASE("conduct: an order is read at most 90 s after its question (4, OFF)") {
    for (bool const late : {false, true}) {
        Bench bench;
        bench.ask_again();
        auto const question = bench.report();
        bench.now += seconds(late ? 91 : 89);
        bench.tell(bench.off(question.nonce));
        CHECK(std::holds_alternative<Act>(bench.next()) == !late);
    }
}

TEST_CASE("conduct: a resume throws away what was held, at each station (1.1)") {
    auto const stations = {&Bench::come_up, &Bench::run_hooks, &Bench::ask_again};
    for (auto const station : stations)
        for (bool const under_way : {false, true}) {
            Bench bench;
            (bench.*station)();
            auto const asked = bench.report();
            auto const genuine = bench.off(asked.nonce);
            if (!under_way)
                bench.tell(genuine);
            bench.identity.resume_count = 1;
            bench.now += minutes(10);
            bench.conduct.take_findings();
            if (under_way) {
                bench.tell(genuine); // read after the resume
                CHECK(bench.conduct.take_findings().size() == 1);
            }
            auto const first = bench.must<SendHeartbeat>().report;
            CHECK_FALSE(is_stopping(first));
            CHECK(first.identity.resume_count == 1);
            bench.conduct.hooks_ended(bench.seen(), "");
            bench.tell(Failure{.kind = {}, .detail = "no network yet"});
            CHECK_FALSE(is_stopping(bench.report()));
            bench.stays_up();
        }
}

TEST_CASE("conduct: after a suspend that was ordered it is ON again") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.must<Act>();
    bench.identity.resume_count = 1;
    CHECK_FALSE(is_stopping(bench.must<SendHeartbeat>().report));
}

TEST_CASE("conduct: what is remembered of another boot is dropped, but for the head (4)") {
    for (auto const said : {Memory::Said::Stopping, Memory::Said::Acted}) {
        Head const head{.epoch = 2, .sequence = 9, .hash = "h", .mac = "m"};
        Bench bench(Memory{.identity = {kOtherBoot, 0}, .said = said, .request = 7, .head = head});
        auto const first = bench.report();
        CHECK_FALSE(is_stopping(first));
        CHECK(first.witness == head);
        Bench resumed(Memory{.identity = {kBoot, 3}, .said = said, .request = 7});
        CHECK_FALSE(is_stopping(resumed.report()));
    }
}

TEST_CASE("conduct: an agent restarted within a boot goes on with what it last reported (1.1)") {
    Bench before;
    before.ask_again();
    auto const question = before.report();
    Bench bench(before.conduct.memory());
    bench.signer = before.signer;
    bench.tell(before.off(question.nonce)); // a question the new process did not ask
    CHECK(is_stopping(bench.report()));
    bench.tell(before.off(question.nonce));
    CHECK_FALSE(std::holds_alternative<RunHooks>(bench.next()));
    bench.stays_up();
}

TEST_CASE("conduct: a restarted agent prepares again before it acts") {
    Bench before;
    before.ask_again();
    Bench bench(before.conduct.memory());
    CHECK(is_stopping(bench.report_and_hear_off()));
    bench.must<RunHooks>();
    bench.conduct.hooks_ended(bench.seen(), "");
    bench.report_and_hear_off();
    bench.must<Act>();
    Bench after(bench.conduct.memory()); // and never twice
    CHECK(is_stopping(after.report_and_hear_off()));
    CHECK(is_stopping(after.report_and_hear_off()));
    after.stays_up();
}
