#include "http/read_model.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using namespace cpm::http;
using namespace std::chrono_literals;

namespace {

constexpr core::ServerId kServer{7};
core::WallTime const kWall{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
core::MonoTime const kMono{100h};

/// Events as a log would hold them, each a decision of its own unless said otherwise.
struct Story {
    core::Sequence head{};

    core::Event event(core::WallTime at, core::Payload payload, bool same_decision = false) {
        head = head.next();
        decision_ = same_decision ? decision_ : head;
        return {head, decision_, at, kServer, {}, {}, {}, std::move(payload)};
    }

  private:
    core::Sequence decision_{};
};

core::ServerAdded added() {
    core::ServerConfig config;
    config.name = "a";
    return {config};
}

core::HeartbeatReceived on() {
    core::HeartbeatReceived heartbeat;
    heartbeat.status = core::HeartbeatStatus::On;
    heartbeat.timeout = 30s;
    return heartbeat;
}

core::milliseconds remaining(ReadModel const& model, core::MonoTime now) {
    return model.standby_remaining(*model.fleet().find(kServer), now);
}

/// A server whose standby time of 100 s was opened at kWall, and the manager starting at `now`.
ReadModel restarted(core::WallTime now) {
    Story story;
    ReadModel model;
    model.load(story.event(kWall, added()));
    model.load(story.event(kWall, core::PowerRequested{core::PowerStatus::On, 100s}));
    model.loaded({kMono, now});
    return model;
}

} // namespace

TEST_CASE("read model: a standby time goes on over a restart, whatever the clock says (1.5)") {
    CHECK(remaining(restarted(kWall + 40s), kMono) == 60s);
    CHECK(remaining(restarted(kWall + 40s), kMono + 59s + 500ms) == 500ms);
    CHECK(remaining(restarted(kWall + 40s), kMono + 60s) == 0s);
    CHECK(remaining(restarted(kWall + 1000h), kMono) == 0s);
    CHECK(remaining(restarted(kWall - 1000h), kMono) == 100s);
}

TEST_CASE("read model: a new standby time runs from its decision on the monotonic clock (1.5)") {
    Story story;
    ReadModel model;
    model.load(story.event(kWall, added()));
    model.loaded({kMono, kWall});
    CHECK(remaining(model, kMono) == 0s);
    manager::Publication batch{
        .events = {story.event(kWall, core::PowerRequested{core::PowerStatus::On, 100s})},
        .changes = {},
        .head = {1, core::Sequence{2}, {}},
        .now = {kMono + 10s, kWall + 999h},
    };
    model.apply(batch);
    CHECK(remaining(model, kMono + 30s) == 80s);
    batch.events = {story.event(kWall, core::StandbyElapsed{core::Sequence{2}})};
    model.apply(batch);
    CHECK(remaining(model, kMono + 30s) == 0s);
}

TEST_CASE("read model: notifications follow decisions, across the history's end and batches (1.4)"
) {
    Story story;
    ReadModel model;
    model.load(story.event(kWall, added()));
    model.load(story.event(kWall, on()));
    model.load(story.event(kWall, core::PowerAdopted{}, true));
    model.load(story.event(kWall, on()));
    model.load(story.event(kWall, on()));
    model.loaded({kMono, kWall});
    CHECK(model.fleet().find(kServer)->state.actual == core::ActualStatus::On);
    CHECK(model.notifications().items().empty());

    std::vector<projections::NotificationChanges> heard;
    model.observe([&](Applied const& applied) {
        CHECK(model.head() == applied.publication.head); // it has the batch already
        heard.push_back(applied.notifications);
    });
    // Two decisions in one batch: it crashes, and is back at once.
    auto const last = story.head;
    manager::Publication const batch{
        .events = {story.event(kWall, core::HeartbeatLost{last}), story.event(kWall, on())},
        .changes = {},
        .head = {1, story.head, {}},
        .now = {kMono, kWall},
    };
    model.apply(batch);
    REQUIRE(heard.size() == 1);
    REQUIRE(heard[0].shown.size() == 1);
    CHECK(heard[0].cleared == heard[0].shown);
    CHECK(model.notifications().items().empty());
}

TEST_CASE("read model: a damaged account opens nothing, and refusing to start is the engine's (2.2)"
) {
    ReadModel model;
    model.load({eventstore::Table::Accounts, "user/alice", "no account"});
    CHECK_FALSE(model.accounts().has_users());
}

TEST_CASE("read model: it remembers the last events of a server that changed something (3.2)") {
    Story story;
    ReadModel model;
    model.load(story.event(kWall, added()));
    model.load(story.event(kWall, on())); // the first one is no routine, nor is the second
    model.load(story.event(kWall, on()));
    for (int i = 0; i < 5; ++i)
        model.load(story.event(kWall, on()));
    model.load(story.event(kWall, core::PowerRefused{}));
    CHECK(model.recent_events(kServer) == std::vector<core::Sequence>{{1}, {2}, {3}, {9}});
    for (int i = 0; i < 100; ++i)
        model.load(story.event(kWall, core::PowerRefused{}));
    CHECK(model.recent_events(kServer).size() == projections::LogFold::kRecent);
    CHECK(model.recent_events(kServer).back() == core::Sequence{109});
    model.load(story.event(kWall, core::ServerRemoved{}));
    CHECK(model.recent_events(kServer).empty());
}

TEST_CASE("read model: it keeps the events that concern every server (3.2)") {
    Story story;
    ReadModel model;
    model.load(story.event(kWall, core::ManagerStarted{}));
    model.load(story.event(kWall, added()));
    model.load(story.event(kWall, core::SettingsChanged{}));
    model.load(story.event(kWall, core::SignedOut{}));
    std::vector<core::Sequence> kept;
    for (auto const& event : model.common_events())
        kept.push_back(event.sequence);
    CHECK(kept == std::vector<core::Sequence>{{1}, {3}});
}
