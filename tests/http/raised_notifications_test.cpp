// What webhooks are told of: each notification once, and none that went at once (HTTP 3.2).
#include "http/read_model.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::HeartbeatStatus;

namespace {

/// Two servers that are ON.
World two_up() {
    World world;
    for (auto const server : {kNode1, kNode2}) {
        world.add(server, server == kNode1 ? "one" : "two");
        world.report(server, HeartbeatStatus::On);
        world.report(server, HeartbeatStatus::On);
    }
    return world;
}

/// As a start reads the history of this world.
http::ReadModel read(World const& world) {
    http::ReadModel model;
    for (auto const& event : world.events)
        model.load(event);
    model.loaded({core::MonoTime{100h}, world.now});
    return model;
}

} // namespace

TEST_CASE("raised: each that was raised is there once, also those that have gone (HTTP 3.2)") {
    auto world = two_up();
    auto const crashed = world.lose(kNode1).front().sequence;
    world.now += 1h;
    world.report(kNode1, HeartbeatStatus::On);
    world.now += 1h;
    world.lose(kNode2);
    auto const model = read(world);
    REQUIRE(model.raised().items().size() == 2);
    CHECK(model.raised().count() == 2);
    auto const& first = *model.raised().items().front();
    CHECK(first.raised_by == crashed);
    CHECK(first.notification.kind == projections::NotificationKind::Crashed);
    CHECK(first.server_names == std::vector<std::string>{"one"});
    CHECK_FALSE(first.went_at_once);
    CHECK(model.raised().items().back()->server_names == std::vector<std::string>{"two"});
    CHECK(model.notifications().items().size() == 1);
}

TEST_CASE("raised: what goes within three seconds is marked so, and no later (HTTP 3.2)") {
    for (auto const& [stood, at_once] : {std::pair(2999ms, true), std::pair(3000ms, false)}) {
        auto world = two_up();
        world.lose(kNode1);
        world.now += stood;
        world.report(kNode1, HeartbeatStatus::On);
        auto const model = read(world);
        REQUIRE(model.raised().items().size() == 1);
        CHECK(model.raised().items().front()->went_at_once == at_once);
    }
}

TEST_CASE("raised: it says what the notification says now (HTTP 3.2)") {
    auto world = two_up();
    world.ask(kNode1, core::PowerStatus::Off);
    world.report(kNode1, HeartbeatStatus::Stopping);
    world.elapse(kNode1); // ShutdownDelayed
    auto const before = read(world).raised().items().front()->notification.text;
    world.report(kNode1, HeartbeatStatus::Stopping, 1, "backup");
    auto const model = read(world);
    REQUIRE(model.raised().items().size() == 1);
    auto const* const shown = model.notifications().items().front();
    CHECK(model.raised().items().front()->notification == *shown);
    CHECK(shown->text != before);
}

TEST_CASE("raised: the newest are kept (HTTP 3.2)") {
    auto world = two_up();
    for (std::size_t i = 0; i < projections::RaisedNotifications::kMost + 5; ++i) {
        world.now += 1min;
        world.lose(kNode1);
        world.report(kNode1, HeartbeatStatus::On);
        world.report(kNode1, HeartbeatStatus::On);
    }
    auto const model = read(world);
    CHECK(model.raised().items().size() == projections::RaisedNotifications::kMost);
    CHECK(model.raised().count() == projections::RaisedNotifications::kMost + 5);
}
