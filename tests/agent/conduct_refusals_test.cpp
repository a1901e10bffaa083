// What an agent does not obey, and how it waits when nobody answers.
#include "tests/agent/bench.hpp"

#include <algorithm>
#include <functional>
#include <map>

using namespace cpm::agent;
using namespace cpm::agent::test;

namespace {

constexpr auto is_stopping = Bench::is_stopping;

using Change = std::function<void(Bench const&, SignedOrder&)>;

void sign_again(Bench const& bench, SignedOrder& order) {
    order.signature = bench.signer.sign(order);
}

/// Orders that differ from a genuine one. "as signed": the signature is the manager's own, for what
/// the order says; else it is for the genuine one.
std::map<std::string, Change> const kForgeries{
    {"another server", [](auto&, auto& order) { order.server_id = "srv_2"; }},
    {"another server, as signed",
     [](auto& bench, auto& order) {
         order.server_id = "srv_2";
         sign_again(bench, order);
     }},
    {"another boot", [](auto&, auto& order) { order.identity.boot_id = kOtherBoot; }},
    {"another boot, as signed",
     [](auto& bench, auto& order) {
         order.identity.boot_id = kOtherBoot;
         sign_again(bench, order);
     }},
    {"boot in upper case, as signed",
     [](auto& bench, auto& order) {
         order.identity.boot_id[0] = 'A';
         sign_again(bench, order);
     }},
    {"another resume", [](auto&, auto& order) { ++order.identity.resume_count; }},
    {"another resume, as signed",
     [](auto& bench, auto& order) {
         ++order.identity.resume_count;
         sign_again(bench, order);
     }},
    {"another nonce", [](auto&, auto& order) { order.nonce[0] ^= 1; }},
    {"another nonce, as signed",
     [](auto& bench, auto& order) {
         order.nonce = std::string(32, 'A');
         sign_again(bench, order);
     }},
    {"no nonce, as signed",
     [](auto& bench, auto& order) {
         order.nonce.clear();
         sign_again(bench, order);
     }},
    {"another request", [](auto&, auto& order) { ++order.sequence; }},
    {"no request, as signed",
     [](auto& bench, auto& order) {
         order.sequence = 0;
         sign_again(bench, order);
     }},
    {"another method", [](auto&, auto& order) { order.method = OffMethod::Suspend; }},
    {"another key's signature", [](auto&, auto& order) { order.signature = Signer().sign(order); }},
    {"no signature", [](auto&, auto& order) { order.signature.clear(); }},
    {"signature of zeros",
     [](auto&, auto& order) { order.signature = std::string(86, 'A') + "=="; }},
    {"signature cut short", [](auto&, auto& order) { order.signature.resize(84); }},
    {"signature with more behind it", [](auto&, auto& order) { order.signature += "AAAA"; }},
    {"signature with a line end", [](auto&, auto& order) { order.signature += "\n"; }},
    {"signature in base64url",
     [](auto&, auto& order) {
         std::ranges::replace(order.signature, '+', '-');
         std::ranges::replace(order.signature, '/', '_');
         order.signature.resize(86);
     }},
    {"a line end inside, as signed",
     [](auto& bench, auto& order) {
         order.server_id = std::string(kServer) + "\n" + kBoot;
         sign_again(bench, order);
     }},
};

} // namespace

TEST_CASE("conduct: no forged order counts, neither as the first nor as the second (1.0.2)") {
    for (auto const& [name, change] : kForgeries)
        for (bool const second : {false, true}) {
            CAPTURE(name);
            CAPTURE(second);
            Bench bench;
            second ? bench.ask_again() : bench.come_up();
            bench.conduct.take_findings();
            for (int i = 0; i < 5; ++i) {
                auto answer = bench.off(bench.report().nonce);
                change(bench, *answer.order);
                bench.tell(answer);
                CHECK_FALSE(std::holds_alternative<Act>(bench.next()));
                bench.conduct.cut();
            }
            CHECK(bench.conduct.take_findings().size() == 1); // reported once
            CHECK(is_stopping(bench.report()) == second);
            bench.tell(Failure{.kind = {}, .detail = "away"});
            bench.stays_up();
        }
}

TEST_CASE("conduct: no signature with one changed bit counts") {
    Bench bench;
    bench.come_up();
    auto const nonce = bench.report().nonce;
    auto const genuine = bench.order(nonce);
    OrderKey const key = OrderKey::parse(bench.signer.public_key()).value();
    OrderBinding const binding{kServer, bench.identity, nonce, seconds(1)};
    REQUIRE(check_order(genuine, binding, key).has_value());
    for (std::size_t at = 0; at < genuine.signature.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            auto order = genuine;
            order.signature[at] = static_cast<char>(order.signature[at] ^ (1 << bit));
            CHECK_FALSE(check_order(order, binding, key).has_value());
        }
}

TEST_CASE("conduct: an order is good for one question only: replayed it is nothing (1.0.2)") {
    Bench bench;
    bench.come_up();
    auto const old = bench.off(bench.report().nonce);
    bench.tell(old);
    CHECK(is_stopping(bench.report()));
    bench.tell(old);
    CHECK_FALSE(std::holds_alternative<RunHooks>(bench.next()));
    bench.conduct.cut();
    bench.report();
    bench.tell(old);
    bench.stays_up();
}

TEST_CASE("conduct: an answer nobody asked for, or a second one, is nothing") {
    Bench bench;
    bench.ask_again();
    auto const question = bench.report();
    bench.conduct.cut();
    bench.tell(bench.off(question.nonce));
    bench.stays_up();
}

TEST_CASE("conduct: an OFF without an order is not obeyed, an ON with one is ON") {
    Bench bench;
    bench.come_up();
    auto unsigned_off = bench.off(bench.report().nonce);
    unsigned_off.order.reset();
    bench.tell(unsigned_off);
    CHECK(bench.conduct.take_findings().size() == 1);
    auto on = bench.off(bench.report().nonce);
    on.power_status = cpm::core::PowerStatus::On;
    bench.tell(on);
    CHECK_FALSE(is_stopping(bench.report()));
}

TEST_CASE("conduct: no order under a lower head, a lower one only with a higher epoch (3.3)") {
    struct Row {
        char const* name;
        Head head;
        bool obeyed;
    };
    for (auto const& row : {
             Row{"the same", {1, 50, "aa", "m"}, true},
             Row{"higher", {1, 51, "bb", "m"}, true},
             Row{"lower", {1, 49, "bb", "m"}, false},
             Row{"another hash there", {1, 50, "bb", "m"}, false},
             Row{"lower epoch", {0, 99, "bb", "m"}, false},
             Row{"higher epoch, lower sequence", {2, 3, "bb", "m"}, true},
         }) {
        CAPTURE(row.name);
        Bench bench;
        bench.ask_again();
        bench.head = row.head;
        bench.report_and_hear_off();
        CHECK(std::holds_alternative<Act>(bench.next()) == row.obeyed);
        bench.conduct.cut();
        auto const kept = row.obeyed ? row.head : Head{1, 50, "aa", "m"};
        CHECK(bench.conduct.memory().head == kept);
        CHECK(bench.report().witness == kept);
    }
}

TEST_CASE("conduct: the head of an answer whose order is not genuine is not taken (3.3)") {
    for (bool const with_order : {true, false}) {
        Bench bench;
        bench.come_up();
        auto answer = bench.off(bench.report().nonce);
        answer.head = {.epoch = ~0ULL, .sequence = ~0ULL, .hash = "ff", .mac = "f"};
        answer.order->signature = Signer().sign(*answer.order);
        if (!with_order)
            answer.order.reset();
        bench.tell(answer);
        CHECK(bench.conduct.memory().head == bench.head);
        bench.report_and_hear_off();
        CHECK(is_stopping(bench.report())); // the genuine one after it counts
    }
}

TEST_CASE("conduct: once a head was signed no other is taken, and no order under one obeyed (3.3)"
) {
    Bench bench;
    bench.head.signature = bench.signer.sign(bench.head);
    bench.come_up();
    auto const held = bench.head;
    CHECK(bench.conduct.memory().head == held);
    Head const huge{.epoch = 9, .sequence = 9'000'000, .hash = "ff", .mac = "m"};
    auto with = [&](std::string const& signature) {
        auto head = huge;
        head.signature = signature;
        return head;
    };
    bench.conduct.take_findings();
    for (auto const& forged : {
             huge,
             with(held.signature), // of another head
             with(Signer().sign(huge)),
             with("x"),
         }) {
        bench.head = forged;
        bench.report_and_hear_on();
        CHECK(bench.conduct.memory().head == held);
        bench.report_and_hear_off(); // a genuine order, but what lies over it is not
        CHECK(bench.conduct.memory().said == Memory::Said::On);
    }
    CHECK(bench.conduct.take_findings().size() == 1);
    // An agent restarted goes on with that.
    Bench restarted(bench.conduct.memory());
    restarted.head = huge;
    restarted.report_and_hear_on();
    CHECK(restarted.conduct.memory().head == held);

    bench.head = {.epoch = 1, .sequence = 51, .hash = "bb", .mac = "m"};
    bench.head.signature = bench.signer.sign(bench.head);
    bench.report_and_hear_off(); // the manager's own word counts as if nothing had been
    CHECK(is_stopping(bench.report()));
    CHECK(bench.conduct.memory().head == bench.head);
}

TEST_CASE("conduct: a signature lets no older log pass, and does not replace a higher head (3.3)") {
    for (bool const signed_before : {true, false}) {
        Bench bench;
        if (signed_before)
            bench.head.signature = bench.signer.sign(bench.head);
        bench.come_up();
        auto const held = bench.head;
        bench.head = {.epoch = 1, .sequence = 49, .hash = "bb", .mac = "m"};
        bench.head.signature = bench.signer.sign(bench.head);
        bench.report_and_hear_off();
        CHECK_FALSE(is_stopping(bench.report()));
        CHECK(bench.conduct.memory().head == held);
    }
}

TEST_CASE("conduct: troubles that take turns are told once each, until all is well again") {
    Bench bench;
    bench.come_up();
    auto const tell_both = [&] {
        for (int i = 0; i < 20; ++i) {
            auto unsigned_off = bench.off(bench.report().nonce);
            unsigned_off.order.reset();
            bench.tell(unsigned_off);
            bench.report();
            bench.tell(Failure{.kind = {}, .detail = "rubbish"});
        }
    };
    bench.conduct.take_findings();
    tell_both();
    CHECK(
        bench.conduct.take_findings() ==
        std::vector<std::string>{
            "an OFF without a signed order was not obeyed",
            "rubbish",
            "the manager answers again",
        }
    );
    bench.report_and_hear_on();
    CHECK(bench.conduct.take_findings().empty());
    tell_both();
    CHECK(bench.conduct.take_findings().size() == 3);
}

TEST_CASE("conduct: made-up kinds of trouble fill neither memory nor journal") {
    Bench bench;
    bench.come_up();
    bench.conduct.take_findings();
    std::size_t lines = 0;
    for (int i = 0; i < 1000; ++i) {
        bench.report();
        bench.tell(Failure{.kind = {}, .detail = fmt::format("trouble {}", i)});
        lines += bench.conduct.take_findings().size();
    }
    CHECK(lines == 65);
}

TEST_CASE("conduct: a wrong answer to a held call is told, too") {
    Bench bench;
    bench.come_up();
    bench.conduct.take_findings();
    bench.must<HoldManifest>();
    bench.tell(Failure{.kind = {}, .detail = "rubbish"});
    CHECK(bench.conduct.take_findings() == std::vector<std::string>{"rubbish"});
}

TEST_CASE("conduct: no failure ever leads to an act, and all are reported once") {
    for (auto const kind :
         {Failure::Kind::Trouble,
          Failure::Kind::NotSignedIn,
          Failure::Kind::Gone,
          Failure::Kind::TooOften}) {
        Bench bench;
        bench.ask_again();
        bench.conduct.take_findings();
        for (int i = 0; i < 100; ++i) {
            CHECK(is_stopping(bench.report()));
            bench.tell(Failure{.kind = kind, .detail = "rubbish"});
        }
        CHECK(bench.conduct.take_findings().size() == 1);
        bench.stays_up();
    }
}

TEST_CASE("conduct: told that it reports too often it goes on, and hears an order at once") {
    Bench bench;
    bench.come_up();
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(is_stopping(bench.report()));
        auto const told_at = bench.now;
        bench.tell(Failure{.kind = Failure::Kind::TooOften, .detail = "too often"});
        bench.must<HoldManifest>();
        bench.tell(Unchanged{});
        bench.report();
        CHECK(bench.now - told_at >= seconds(4));
        CHECK(bench.now - told_at <= seconds(6));
        bench.tell(Failure{.kind = Failure::Kind::TooOften, .detail = "too often"});
    }
    auto const asked = bench.must<HoldManifest>().question;
    bench.tell(bench.off(asked.nonce));
    CHECK(is_stopping(bench.report()));
}

TEST_CASE("conduct: waits ever longer, up to 5 minutes, with jitter, while the manager is away") {
    Bench bench;
    bench.come_up();
    auto previous = bench.now;
    std::vector<std::int64_t> pauses;
    bench.report();
    for (int i = 0; i < 14; ++i) {
        previous = bench.now;
        bench.tell(Failure{.kind = {}, .detail = "away"});
        bench.report();
        pauses.push_back((bench.now - previous).count() / 1000);
    }
    std::int64_t longest = 10'000;
    for (std::size_t i = 0; i < pauses.size(); ++i) {
        if (i >= 2)
            longest = std::min<std::int64_t>(longest * 2, 300'000);
        CHECK(pauses[i] >= longest * 7 / 10 - 1);
        CHECK(pauses[i] <= longest);
    }
    CHECK(pauses[12] != pauses[13]);
    bench.tell(bench.on()); // and is punctual again once it is back
    previous = bench.now;
    bench.report();
    CHECK(bench.now - previous <= seconds(10));
}

TEST_CASE("conduct: an agent that was disowned asks slowly, once with its previous token (3.3)") {
    Bench bench({}, true);
    Failure const unknown{.kind = Failure::Kind::NotSignedIn, .detail = "401"};
    std::vector<bool> previous_used;
    for (int i = 0; i < 5; ++i) {
        bench.report();
        previous_used.push_back(bench.last.with_previous_token);
        bench.tell(unknown);
    }
    CHECK(previous_used == std::vector{false, true, false, false, false});
    auto const before = bench.now;
    bench.report();
    CHECK(bench.now - before >= seconds(210));
}

TEST_CASE("conduct: a failed held call waits for the heartbeat, so that no herd arises") {
    Bench bench;
    bench.come_up();
    bench.must<HoldManifest>();
    bench.tell(Failure{.kind = {}, .detail = "the manager stops"});
    auto const rest = bench.must<Rest>();
    CHECK(rest.until - bench.now > seconds(7));
}

TEST_CASE("conduct: a manager that answers held calls at once is not asked in circles") {
    for (bool const with_body : {false, true}) {
        Bench bench;
        bench.come_up();
        bench.must<HoldManifest>();
        bench.tell(with_body ? Outcome(bench.on()) : Outcome(Unchanged{}));
        bench.must<Rest>();
    }
}

TEST_CASE("conduct: a veto is told at once and holds hooks and act back, at each station (4)") {
    auto const stations = {&Bench::come_up, &Bench::ask_again};
    for (auto const station : stations) {
        Bench bench;
        (bench.*station)();
        bench.blocked_by = "hold: do not touch";
        bool const asked = station != stations.begin()[0];
        auto const told = bench.must<SendHeartbeat>().report;
        CHECK(told.blocked_by == "hold: do not touch");
        CHECK(is_stopping(told) == asked);
        bench.tell(bench.off(told.nonce));
        for (int i = 0; i < 5; ++i) {
            CHECK(bench.report_and_hear_off().blocked_by == "hold: do not touch");
            auto const step = bench.next();
            CHECK_FALSE(std::holds_alternative<RunHooks>(step));
            CHECK_FALSE(std::holds_alternative<Act>(step));
            bench.conduct.cut();
        }
        bench.blocked_by.clear(); // lifted within the standby time: it goes on
        auto const free = bench.must<SendHeartbeat>().report;
        CHECK(free.blocked_by.empty());
        bench.tell(bench.off(free.nonce));
        CHECK(std::holds_alternative<Act>(bench.next()) == asked);
    }
}

TEST_CASE("conduct: a veto against sleep keeps it from suspend and hibernation, not from OFF (4)") {
    for (auto const method : {OffMethod::PowerOff, OffMethod::Suspend, OffMethod::Hibernate}) {
        Bench bench;
        bench.method = method;
        bench.sleep_blocked_by = "inhibited by owner: copying";
        bool const sleeps = method != OffMethod::PowerOff;
        bench.be_ordered();
        auto const told = bench.report_and_hear_off();
        CHECK(told.blocked_by == (sleeps ? bench.sleep_blocked_by : std::string{}));
        CHECK(std::holds_alternative<RunHooks>(bench.next()) == !sleeps);
    }
    for (auto const method : {OffMethod::PowerOff, OffMethod::Suspend}) {
        Bench bench;
        bench.method = method;
        bench.ask_again();
        bench.report_and_hear_off();
        bench.must<Act>();
        bench.sleep_blocked_by = "inhibited by owner: copying"; // at the last moment
        CHECK(bench.conduct.may_act(bench.seen()) == (method == OffMethod::PowerOff));
    }
}

TEST_CASE("conduct: a veto between the second answer and the act counts") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.blocked_by = "hold";
    CHECK(bench.must<SendHeartbeat>().report.blocked_by == "hold");
}

TEST_CASE("conduct: a required hook that fails ends it: Stopping and blocked, until ON (4)") {
    Bench bench;
    bench.run_hooks();
    bench.conduct.hooks_ended(bench.seen(), "20-drain.required");
    CHECK(bench.report_and_hear_off().blocked_by == "hook 20-drain.required failed");
    CHECK(bench.report_and_hear_off().blocked_by == "hook 20-drain.required failed");
    Bench restarted(bench.conduct.memory());
    CHECK(restarted.report_and_hear_off().blocked_by == "hook 20-drain.required failed");
    restarted.stays_up();
    bench.report_and_hear_on();
    CHECK(bench.report_and_hear_off(8).blocked_by.empty());
    CHECK(is_stopping(bench.report_and_hear_off(8)));
    bench.must<RunHooks>();
}

TEST_CASE("conduct: an act that was refused or cancelled is told, and not tried again (4)") {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.must<Act>();
    bench.conduct.act_failed(bench.seen(), "cancelled");
    for (int i = 0; i < 5; ++i)
        CHECK(bench.report_and_hear_off().blocked_by == "cancelled");
    bench.report_and_hear_on();
    CHECK_FALSE(is_stopping(bench.report()));
}

TEST_CASE("conduct: an act of the agent before that came to nothing is told, and not redone (4)") {
    Bench before;
    before.ask_again();
    before.report_and_hear_off();
    before.must<Act>();
    Bench bench(before.conduct.memory()); // killed before logind heard of it
    for (int i = 0; i < 3; ++i) {         // until it is known, it may be going down
        auto const said = bench.report_and_hear_off();
        CHECK(is_stopping(said));
        CHECK(said.blocked_by.empty());
    }
    bench.conduct.act_failed(bench.seen(), "cancelled");
    for (int i = 0; i < 3; ++i) {
        CHECK(bench.report_and_hear_off().blocked_by == "cancelled");
        CHECK_FALSE(std::holds_alternative<RunHooks>(bench.next()));
        bench.conduct.cut();
    }
    bench.report_and_hear_on();
    CHECK_FALSE(is_stopping(bench.report()));
    bench.tell(bench.off(bench.last.report.nonce, 8)); // another request is another matter
    CHECK(bench.report_and_hear_off(8).blocked_by.empty());
    bench.must<RunHooks>();
}

TEST_CASE("conduct: a machine that goes down by itself says so at once, and obeys nothing (4)") {
    for (bool const away : {false, true}) {
        Bench bench;
        bench.ask_again();
        bench.report();
        if (away)
            bench.tell(Failure{.kind = {}, .detail = "away"});
        else
            bench.tell(bench.off(bench.last.report.nonce));
        bench.leaving = Leaving::Reboot;
        CHECK_FALSE(bench.conduct.said_goodbye());
        auto const goodbye = bench.must<SendHeartbeat>().report;
        CHECK(goodbye.leaving == Leaving::Reboot);
        bench.tell(bench.off(goodbye.nonce));
        CHECK(bench.conduct.said_goodbye());
        CHECK(std::holds_alternative<Rest>(bench.next()));
        bench.stays_up();
    }
}

TEST_CASE("conduct: a machine that began to go down by itself is left to it at the last moment (4)"
) {
    Bench bench;
    bench.ask_again();
    bench.report_and_hear_off();
    bench.must<Act>();
    CHECK(bench.conduct.may_act(bench.seen()));
    bench.leaving = Leaving::Reboot; // what was a reboot must not become an OFF
    CHECK_FALSE(bench.conduct.may_act(bench.seen()));
    CHECK(bench.must<SendHeartbeat>().report.leaving == Leaving::Reboot);
}
