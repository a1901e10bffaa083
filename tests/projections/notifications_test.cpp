#include "projections/notifications.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using core::PowerStatus;
using projections::NotificationAction;
using projections::NotificationKind;

namespace {

using Ids = std::vector<std::string>;

/// A world whose decisions are folded as they are made.
struct Footer {
    World world;
    projections::Notifications notifications;
    projections::NotificationChanges last; ///< what the last decision changed

    void hear(std::span<core::Event const> decision) {
        last = notifications.apply_decision(decision, world.fleet);
    }
    void dismiss(std::string id) {
        hear(world.decide({}, core::NotificationDismissed{std::move(id)}, kAlice));
    }
    Ids ids() const {
        Ids ids;
        for (auto const* item : notifications.items())
            ids.push_back(item->id);
        return ids;
    }
};

/// node1 is ON; the next event is number 5.
Footer with_server_on() {
    Footer footer;
    footer.hear(footer.world.add(kNode1, "node1"));                // 1
    footer.hear(footer.world.ask(kNode1, PowerStatus::On));        // 2
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On)); // 3
    footer.hear(footer.world.elapse(kNode1));                      // 4
    return footer;
}

bool says(std::string const& text, std::string_view words) {
    return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("notifications: a server that never reported makes none (1.2)") {
    Footer footer;
    footer.hear(footer.world.add(kNode1, "node1"));
    CHECK(footer.ids().empty());
}

TEST_CASE("notifications: Crashed says what happened and offers the next step (1.6)") {
    auto footer = with_server_on();
    footer.world.now = at("09:10:00");
    footer.hear(footer.world.lose(kNode1));
    CHECK(footer.last.shown == Ids{"ntf_5_crashed"});
    auto const* crashed = footer.notifications.find("ntf_5_crashed");
    REQUIRE(crashed);
    CHECK(crashed->kind == NotificationKind::Crashed);
    CHECK(crashed->severity == projections::Severity::Error);
    CHECK(crashed->server_ids == std::vector{kNode1});
    CHECK(crashed->since == at("09:10:00"));
    CHECK(
        crashed->actions ==
        std::vector{
            NotificationAction::SetOff,
            NotificationAction::WakeAgain,
            NotificationAction::Dismiss,
        }
    );
    CHECK(crashed->text.starts_with("node1 is Crashed. It fell silent while it was ON"));
    CHECK(crashed->text.ends_with("Set OFF if you powered it down by hand, or wake it again."));
}

TEST_CASE("notifications: one goes when its status goes (1.6)") {
    auto footer = with_server_on();
    footer.hear(footer.world.lose(kNode1));
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off)); // A: as alice says
    CHECK(footer.last.cleared == Ids{"ntf_5_crashed"});
    CHECK(footer.ids().empty());
    CHECK(footer.notifications.find("ntf_5_crashed") == nullptr);
}

TEST_CASE("notifications: a dismissed one returns only after its status went and came back") {
    auto footer = with_server_on();
    footer.hear(footer.world.lose(kNode1)); // 5
    footer.dismiss("ntf_5_crashed");        // 6
    CHECK(footer.last.cleared == Ids{"ntf_5_crashed"});
    footer.hear(footer.world.wake(kNode1)); // 7, still Crashed
    CHECK(footer.ids().empty());
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On)); // 8
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On)); // 9
    footer.hear(footer.world.lose(kNode1));                        // 10
    CHECK(footer.ids() == Ids{"ntf_10_crashed"});
}

TEST_CASE("notifications: dismissing what is not there changes nothing") {
    auto footer = with_server_on();
    footer.hear(footer.world.lose(kNode1));
    for (auto const* id : {"", "ntf_", "ntf_5", "ntf_5_unknown", "ntf_99_crashed", "5"}) {
        footer.dismiss(id);
        CHECK(footer.last == projections::NotificationChanges{});
    }
    CHECK(footer.ids() == Ids{"ntf_5_crashed"});
}

TEST_CASE("notifications: routine heartbeats of an Unknown server change nothing") {
    auto footer = with_server_on();
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::Stopping)); // 5: ON/ON/Stopping
    CHECK(footer.ids() == Ids{"ntf_5_unknown"});
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::Stopping)); // 6: another row
    CHECK(footer.last.shown == Ids{"ntf_5_unknown"});
    footer.world.now = at("09:30:00");
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::Stopping)); // 7: routine
    CHECK(footer.last == projections::NotificationChanges{});
    auto const* unknown = footer.notifications.find("ntf_5_unknown");
    REQUIRE(unknown);
    CHECK(unknown->actions == std::vector{NotificationAction::SetOff, NotificationAction::Dismiss});
}

TEST_CASE("notifications: StartupDelayed follows the standby time; without a MAC no wake (1.6)") {
    Footer footer;
    footer.hear(footer.world.add(kNode1, "node1"));         // 1
    footer.hear(footer.world.ask(kNode1, PowerStatus::On)); // 2
    CHECK(footer.ids().empty());
    footer.hear(footer.world.elapse(kNode1)); // 3
    CHECK(footer.ids() == Ids{"ntf_3_startup_delayed"});
    CHECK(says(footer.notifications.items()[0]->text, "node1 is late to start. "));
    CHECK(
        footer.notifications.items()[0]->actions ==
        std::vector{
            NotificationAction::WakeAgain,
            NotificationAction::SetOff,
            NotificationAction::Dismiss,
        }
    );
    auto config = footer.world.fleet.servers.at(kNode1).config;
    config.mac_addresses.clear();
    footer.hear(footer.world.decide(kNode1, core::ServerUpdated{config}, kAlice));
    CHECK(footer.last.shown == Ids{"ntf_3_startup_delayed"});
    CHECK(says(footer.notifications.items()[0]->text, "it cannot be woken"));
    CHECK(
        footer.notifications.items()[0]->actions ==
        std::vector{NotificationAction::SetOff, NotificationAction::Dismiss}
    );
}

TEST_CASE("notifications: ShutdownDelayed follows the standby time of an OFF (1.6)") {
    auto footer = with_server_on();
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off));             // 5
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::Stopping)); // 6
    CHECK(footer.ids().empty());
    footer.hear(footer.world.elapse(kNode1)); // 7
    CHECK(footer.ids() == Ids{"ntf_7_shutdown_delayed"});
    CHECK(says(footer.notifications.items()[0]->text, "node1 is late to shut down. "));
}

TEST_CASE("notifications: row ON/Stopping/ON is quiet while the standby time is open (1.3)") {
    auto footer = with_server_on();
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off));             // 5
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::Stopping)); // 6
    footer.hear(footer.world.elapse(kNode1));                            // 7
    footer.hear(footer.world.ask(kNode1, PowerStatus::On));              // 8: ON/Stopping/Stopping
    CHECK(footer.last.cleared == Ids{"ntf_7_shutdown_delayed"});
    CHECK(footer.ids() == Ids{"ntf_8_unknown"});
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On)); // 9
    CHECK(footer.ids().empty());
    footer.hear(footer.world.elapse(kNode1)); // 10: nothing settled it
    CHECK(footer.ids() == Ids{"ntf_10_unknown"});
}

TEST_CASE("notifications: an Unknown whose cause is a veto names it (1.4)") {
    auto footer = with_server_on();
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off));
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 1, "a backup"));
    footer.hear(footer.world.elapse(kNode1)); // 7
    REQUIRE(footer.ids() == Ids{"ntf_7_unknown"});
    CHECK(says(footer.notifications.items()[0]->text, "held by a backup"));
}

TEST_CASE("notifications: an OFF that another boot overruled is told and offered again (1.4)") {
    auto footer = with_server_on();
    footer.world.now = at("23:00:00");
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off)); // 5
    footer.world.now = at("23:02:00");
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 2)); // 6 heartbeat, 7 adopted
    REQUIRE(footer.ids() == Ids{"ntf_7_adopted"});
    auto const& adopted = *footer.notifications.items()[0];
    CHECK(
        adopted.text ==
        "node1: OFF of 2026-11-21 23:00:00 UTC (alice): it is ON, because it reported ON from "
        "another boot before it had gone down. Set OFF if it is still to go off."
    );
    CHECK(adopted.actions == std::vector{NotificationAction::SetOff, NotificationAction::Dismiss});
    CHECK(adopted.since == at("23:02:00"));

    SUBCASE("it stays when heartbeats follow, and goes when a power status is asked for") {
        footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 2));
        CHECK(footer.ids() == Ids{"ntf_7_adopted"});
        footer.hear(footer.world.ask(kNode1, PowerStatus::Off));
        CHECK(footer.last.cleared == Ids{"ntf_7_adopted"});
    }
    SUBCASE("it goes when it is dismissed") {
        footer.dismiss("ntf_7_adopted");
        CHECK(footer.ids().empty());
    }
    SUBCASE("it goes with the server") {
        footer.hear(footer.world.decide(kNode1, core::ServerRemoved{}, kAlice));
        CHECK(footer.last.cleared == Ids{"ntf_7_adopted"});
    }
}

TEST_CASE("notifications: a server that was OFF and is simply turned on makes none (1.4)") {
    auto footer = with_server_on();
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off));
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::Stopping));
    footer.hear(footer.world.lose(kNode1));
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 2));
    CHECK(footer.world.state(kNode1).actual == core::ActualStatus::ManuallyOn);
    CHECK(footer.ids().empty());
}

TEST_CASE("notifications: a withdrawn request is shown beside the status it puts back (1.6)") {
    auto footer = with_server_on();
    footer.hear(footer.world.lose(kNode1)); // 5
    auto const before = footer.world.state(kNode1);
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off)); // 6: never acknowledged
    CHECK(footer.ids().empty());
    footer.hear(footer.world.decide(kNode1, core::decide_withdrawal(before, {6}))); // 7
    CHECK(footer.ids() == Ids{"ntf_7_crashed", "ntf_7_withdrawn"});
    CHECK(
        footer.notifications.find("ntf_7_withdrawn")->text ==
        "node1: the power request that alice made at 2026-11-21 09:00:00 UTC could not be stored "
        "and was never acknowledged, so it was taken back. Its power status is ON, as before. Ask "
        "again if it is still wanted."
    );
    footer.hear(footer.world.ask(kNode1, PowerStatus::On)); // 8
    CHECK(footer.ids().empty());
}

TEST_CASE("notifications: an agent set aside is told until it joins or is reinstated (1.4)") {
    auto footer = with_server_on();
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 2)); // 5
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 1)); // 6: ignored
    CHECK(footer.ids().empty());
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 1)); // 7, 8: set aside
    REQUIRE(footer.ids() == Ids{"ntf_8_set_aside"});
    CHECK(
        footer.notifications.items()[0]->actions ==
        std::vector{NotificationAction::Reinstate, NotificationAction::Dismiss}
    );

    SUBCASE("reinstated") {
        footer.hear(footer.world.decide(kNode1, core::AgentReinstated{}, kAlice));
        CHECK(footer.last.cleared == Ids{"ntf_8_set_aside"});
    }
    SUBCASE("joined") {
        footer.hear(footer.world.decide(kNode1, core::AgentJoined{}, kAgent));
        CHECK(footer.last.cleared == Ids{"ntf_8_set_aside"});
    }
    SUBCASE("while it lasts, OFF is not offered: it would be refused") {
        footer.hear(footer.world.lose(kNode1)); // 9
        auto const* crashed = footer.notifications.find("ntf_9_crashed");
        REQUIRE(crashed);
        CHECK(
            crashed->actions ==
            std::vector{NotificationAction::WakeAgain, NotificationAction::Dismiss}
        );
    }
}

TEST_CASE("notifications: each server has its own, oldest first") {
    auto footer = with_server_on();
    footer.hear(footer.world.add(kNode2, "node2"));         // 5
    footer.hear(footer.world.ask(kNode2, PowerStatus::On)); // 6
    footer.hear(footer.world.elapse(kNode2));               // 7
    footer.hear(footer.world.lose(kNode1));                 // 8
    CHECK(footer.ids() == Ids{"ntf_7_startup_delayed", "ntf_8_crashed"});
    footer.hear(footer.world.report(kNode2, HeartbeatStatus::On)); // 9
    CHECK(footer.ids() == Ids{"ntf_8_crashed"});
}

TEST_CASE("notifications: what no decision shows is never shown (1.4)") {
    auto footer = with_server_on();
    // Two events of one decision: the heartbeat alone would be Unknown (OFF/ON/ON elapsed).
    footer.hear(footer.world.ask(kNode1, PowerStatus::Off));
    footer.hear(footer.world.elapse(kNode1)); // 6
    CHECK(footer.ids() == Ids{"ntf_6_unknown"});
    footer.hear(footer.world.report(kNode1, HeartbeatStatus::On, 2)); // 7, 8
    CHECK(footer.last.shown == Ids{"ntf_8_adopted"});
    CHECK(footer.last.cleared == Ids{"ntf_6_unknown"});
}

namespace {

/// Ten servers that report ON, named after their numbers.
Footer with_ten_on() {
    Footer footer;
    for (std::uint64_t n = 1; n <= 10; ++n) {
        footer.hear(footer.world.add({n}, std::to_string(n)));
        footer.hear(footer.world.ask({n}, PowerStatus::On));
        footer.hear(footer.world.report({n}, HeartbeatStatus::On));
        footer.hear(footer.world.elapse({n}));
    }
    return footer;
}

} // namespace

TEST_CASE("notifications: many that fall silent at once make one for all (1.6)") {
    auto footer = with_ten_on();
    for (std::uint64_t n = 1; n <= 4; ++n)
        footer.hear(footer.world.lose({n}));
    CHECK(
        footer.ids() == Ids{"ntf_41_crashed", "ntf_42_crashed", "ntf_43_crashed", "ntf_44_crashed"}
    );
    footer.hear(footer.world.lose({5})); // 50 % of ten
    CHECK(footer.ids() == Ids{"ntf_45_silence_of_many"});
    CHECK(footer.last.cleared.size() == 4);
    CHECK(footer.last.shown == Ids{"ntf_45_silence_of_many"});
    footer.hear(footer.world.lose({6}));
    auto const* many = footer.notifications.find("ntf_45_silence_of_many");
    REQUIRE(many);
    CHECK(many->server_ids.size() == 6);
    CHECK(says(many->text, "1, 2, 3, 4, 5, 6."));
    CHECK(many->severity == projections::Severity::Error);

    // It goes with the last of them; one that was settled by hand is no part of it.
    footer.hear(footer.world.ask({1}, PowerStatus::Off));
    for (std::uint64_t n = 2; n <= 5; ++n)
        footer.hear(footer.world.report({n}, HeartbeatStatus::On));
    CHECK(footer.notifications.find("ntf_45_silence_of_many")->server_ids.size() == 1);
    footer.hear(footer.world.report({6}, HeartbeatStatus::On));
    CHECK(footer.ids().empty());
    CHECK(footer.last.cleared == Ids{"ntf_45_silence_of_many"});
}

TEST_CASE("notifications: few, or not within one timeout, are each told of (1.6)") {
    auto footer = with_ten_on();
    for (std::uint64_t n = 1; n <= 10; ++n) {
        footer.world.now += std::chrono::seconds(8); // four within 30 s
        footer.hear(footer.world.lose({n}));
        if (n < 6)
            CHECK(footer.ids().size() == n);
    }
    auto three = Footer{};
    for (std::uint64_t n = 1; n <= 3; ++n) {
        three.hear(three.world.add({n}, std::to_string(n)));
        three.hear(three.world.report({n}, HeartbeatStatus::On));
    }
    for (std::uint64_t n = 1; n <= 3; ++n)
        three.hear(three.world.lose({n}));
    CHECK(three.ids().size() == 3);
}

TEST_CASE("notifications: a fleet that goes OFF as asked is no silence of many (1.6)") {
    auto footer = with_ten_on();
    for (std::uint64_t n = 1; n <= 10; ++n) {
        footer.hear(footer.world.ask({n}, PowerStatus::Off));
        footer.hear(footer.world.report({n}, HeartbeatStatus::Stopping));
    }
    for (std::uint64_t n = 1; n <= 10; ++n)
        footer.hear(footer.world.lose({n}));
    CHECK(footer.ids().empty());
}

TEST_CASE("notifications: a silence of many that was dismissed stays away until it is over (1.6)") {
    auto footer = with_ten_on();
    for (std::uint64_t n = 1; n <= 5; ++n)
        footer.hear(footer.world.lose({n}));
    footer.dismiss("ntf_45_silence_of_many");
    footer.hear(footer.world.lose({6}));
    CHECK(footer.ids().empty());
}
