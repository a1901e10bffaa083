// What one asker is told: an OFF only for the boot, the nonce and the request it was asked for.
#include "core/manifest.hpp"
#include "tests/core/scene.hpp"

#include <doctest/doctest.h>

using namespace cpm::core;

namespace {

Manifest told(Scene const& scene, Asker const& asker, bool rolled_back = false) {
    return manifest_for(scene.server(), scene.fleet().settings, asker, rolled_back);
}

Scene going_off_unsigned() {
    auto scene = Scene::going_off();
    ServerConfig config = scene.server().config;
    config.allow_unsigned = true;
    scene.configure(config);
    return scene;
}

} // namespace

TEST_CASE("manifest: an order names server, boot, resume, nonce, request and method (1.0)") {
    auto const scene = Scene::going_off();
    auto const manifest = told(scene, {.identity = boot(1), .nonce = "once"});
    CHECK(manifest.power_status == PowerStatus::Off);
    CHECK(manifest.notice == Notice::None);
    REQUIRE(manifest.order);
    Order const expected{
        .method = OffMethod::PowerOff,
        .server = Scene::kId,
        .identity = boot(1),
        .nonce = "once",
        .request = scene.state().request->sequence,
    };
    CHECK(*manifest.order == expected);
}

TEST_CASE("manifest: another boot, or another resume of the same boot, is told ON (1.0)") {
    auto const scene = Scene::going_off();
    for (auto const& other : {boot(2), boot(1, 1)}) {
        auto const manifest = told(scene, {.identity = other, .nonce = "once"});
        CHECK(manifest.power_status == PowerStatus::On);
        CHECK(!manifest.order);
        CHECK(manifest.notice == Notice::Ignored);
    }
}

TEST_CASE("manifest: an agent that cannot verify an order is told ON, with a notice (HTTP 3.3)") {
    auto const scene = Scene::going_off();
    for (Asker const& asker : {Asker{.identity = boot(1)}, Asker{.nonce = "once"}, Asker{}}) {
        auto const manifest = told(scene, asker);
        CHECK(manifest.power_status == PowerStatus::On);
        CHECK(manifest.notice == Notice::CannotVerify);
    }
}

TEST_CASE("manifest: allow_unsigned tells OFF without an order (HTTP 3.3)") {
    auto const scene = going_off_unsigned();
    for (Asker const& asker : {Asker{.identity = boot(1)}, Asker{.nonce = "once"}, Asker{}}) {
        auto const manifest = told(scene, asker);
        CHECK(manifest.power_status == PowerStatus::Off);
        CHECK(!manifest.order);
    }
    CHECK(told(scene, {.identity = boot(1), .nonce = "once"}).order);
    CHECK(told(scene, {.identity = boot(2)}).power_status == PowerStatus::On);
}

TEST_CASE("manifest: an agent without identity inherits no OFF from the one before its join (1.0)"
) {
    auto scene = going_off_unsigned();
    Report bare;
    bare.status = HeartbeatStatus::On;
    REQUIRE(told(scene, {}).power_status == PowerStatus::Off);
    scene.joins();
    auto const first = scene.reports(bare).manifest;
    CHECK(first.power_status == PowerStatus::On);
    CHECK(first.notice == Notice::JoinedSince);
    CHECK(scene.reports(bare).manifest.power_status == PowerStatus::On);
    scene.standby_elapses();

    SUBCASE("nor one that was asked for before its first report") {
        scene.asks(PowerStatus::On);
        scene.standby_elapses();
        scene.joins();
        scene.asks(PowerStatus::Off);
        CHECK(scene.reports(bare).manifest.power_status == PowerStatus::On);
    }
    SUBCASE("but obeys what is asked of it") {
        scene.asks(PowerStatus::On);
        scene.standby_elapses();
        scene.reports(bare);
        scene.asks(PowerStatus::Off);
        CHECK(scene.reports(bare).manifest.power_status == PowerStatus::Off);
    }
}

TEST_CASE("manifest: a held call without the recorded identity is told ON (HTTP 3.3)") {
    auto const scene = going_off_unsigned();
    CHECK(told(scene, {.way = OrderWay::Manifest}).power_status == PowerStatus::On);
    CHECK(
        told(scene, {.nonce = "once", .way = OrderWay::Manifest}).power_status == PowerStatus::On
    );
    CHECK(
        told(scene, {.identity = boot(1), .way = OrderWay::Manifest}).power_status ==
        PowerStatus::Off
    );
}

TEST_CASE("manifest: a rolled-back log tells ON to all (HTTP 3.3)") {
    auto const manifest = told(Scene::going_off(), {.identity = boot(1), .nonce = "once"}, true);
    CHECK(manifest.power_status == PowerStatus::On);
    CHECK(manifest.notice == Notice::RolledBack);
}

TEST_CASE("manifest: a server set aside is told ON, whatever order its state held (1.4)") {
    auto const scene = going_off_unsigned();
    auto server = scene.server();
    server.state.set_aside = true; // no event leaves an order beside it: the last line of defence
    for (Asker const& asker : {Asker{.identity = boot(1), .nonce = "once"}, Asker{}}) {
        auto const manifest = manifest_for(server, scene.fleet().settings, asker, false);
        CHECK(manifest.power_status == PowerStatus::On);
        CHECK(!manifest.order);
        CHECK(manifest.notice == Notice::SetAside);
    }
}

TEST_CASE("manifest: a stale report of the recorded identity gets no order (1.4)") {
    auto scene = Scene::running();
    auto report = says_on(boot(1));
    report.report = 6;
    scene.reports(report);
    scene.asks(PowerStatus::Off);
    report.report = 5;
    auto const answer = scene.reports(report);
    CHECK(answer.events == std::vector<std::string>{"ReportIgnored"});
    CHECK(answer.manifest.power_status == PowerStatus::On);
    CHECK(!answer.manifest.order);
    CHECK(answer.manifest.notice == Notice::Ignored);
    CHECK(scene.held_call(boot(1)).order); // the OFF itself stands
}

TEST_CASE("manifest: its version changes exactly when what it says changes (HTTP 3.3)") {
    Manifest manifest;
    manifest.heartbeat_interval = std::chrono::seconds{10};
    CHECK(manifest_version(manifest, Sequence{4711}) == "ON.10");
    CHECK(manifest_version(manifest, Sequence{4712}) == "ON.10");
    manifest.power_status = PowerStatus::Off;
    CHECK(manifest_version(manifest, Sequence{4711}) == "OFF.10.4711");
    manifest.heartbeat_interval = std::chrono::seconds{20};
    CHECK(manifest_version(manifest, Sequence{4711}) == "OFF.20.4711");
}
