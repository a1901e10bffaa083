// A fold that was packed and unpacked goes on as the one that was not (event log 2.3).
#include "projections/log_fold.hpp"
#include "tests/projections/world.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace cpm;
using namespace cpm::test;
using core::HeartbeatStatus;
using core::PowerStatus;
using projections::LogFold;
using projections::pack;
using projections::unpack;

namespace {

/// Some servers and people, and what may happen to them.
class Story {
  public:
    explicit Story(std::uint64_t seed)
        : random_(seed) {
        world.decide({}, core::ManagerStarted{"test"});
        for (int i = 0; i < 6; ++i)
            add();
    }

    void step() {
        world.now += std::chrono::milliseconds(below(below(5) ? 2'000 : 40'000));
        auto const id = any();
        auto const& state = world.state(id);
        switch (below(14)) {
        case 0: world.ask(id, below(2) ? PowerStatus::On : PowerStatus::Off); break;
        case 1:
            if (state.request)
                world.elapse(id);
            break;
        case 2:
        case 3:
            if (state.last_heartbeat)
                world.lose(id);
            break;
        case 4:
            if (state.request)
                world.wake(id);
            break;
        case 5: people(); break;
        case 6: remove_or_add(id); break;
        case 7: silence(); break;
        default:
            world.report(
                id,
                below(4) ? HeartbeatStatus::On : HeartbeatStatus::Stopping,
                std::uint8_t(1 + below(3)),
                below(8) ? "" : "hold"
            );
        }
    }

    World world;

  private:
    unsigned below(unsigned limit) { return unsigned(random_() % limit); }
    core::ServerId any() { return servers_[below(unsigned(servers_.size()))]; }

    void add() {
        servers_.push_back({0x1000 + std::uint64_t(++added_)});
        world.add(servers_.back(), "node-" + std::to_string(added_));
        core::AgentJoined joined;
        joined.hostname = "host";
        world.decide(servers_.back(), joined);
    }

    void remove_or_add(core::ServerId id) {
        add();
        if (below(2))
            return;
        world.decide(id, core::ServerRemoved{}, kAlice);
        std::erase(servers_, id);
    }

    /// Many at once, which is told of as one.
    void silence() {
        for (auto const id : servers_)
            if (world.state(id).last_heartbeat)
                world.lose(id);
    }

    void people() {
        auto const number = std::to_string(below(20));
        switch (below(4)) {
        case 0: world.decide({}, core::SignedIn{"alice", "192.0.2." + number}, kAlice); break;
        case 1:
            world.decide({}, core::SettingsChanged{{{"missed_heartbeats", "2"}}}, kAlice);
            break;
        case 2: world.decide({}, core::ManagerStarted{"test"}); break;
        case 3: dismiss(); break;
        }
    }

    void dismiss() {
        LogFold fold;
        for (auto const& event : world.events)
            (void)fold.apply(event);
        (void)fold.conclude();
        auto const shown = fold.notifications().items();
        if (!shown.empty())
            world.decide(
                {}, core::NotificationDismissed{shown[below(unsigned(shown.size()))]->id}, kAlice
            );
    }

    std::mt19937_64 random_;
    std::vector<core::ServerId> servers_;
    int added_ = 0;
};

} // namespace

TEST_CASE("fold: packed and unpacked after every event it goes on as if it had not been (2.3)") {
    auto const seed = std::random_device{}();
    MESSAGE("seed " << seed);
    for (std::uint64_t i = 0; i < 12; ++i) {
        INFO("story " << i);
        Story story(seed + i);
        for (int step = 0; step < 150; ++step)
            story.step();

        LogFold straight;
        LogFold resumed;
        for (auto const& event : story.world.events) {
            INFO("event " << event.sequence.value);
            auto const changes = straight.apply(event);
            auto read = unpack(pack(resumed));
            REQUIRE(read);
            resumed = std::move(*read);
            REQUIRE(resumed.apply(event) == changes);
            REQUIRE(pack(resumed) == pack(straight));
            REQUIRE(resumed.fleet() == straight.fleet());
        }
        CHECK(resumed.sequence() == story.world.events.back().sequence);
        CHECK(resumed.conclude() == straight.conclude());
        CHECK(pack(resumed) == pack(straight));
    }
}

TEST_CASE("fold: each event that changes what is known changes the bytes (2.3)") {
    Story story(1);
    for (int step = 0; step < 100; ++step)
        story.step();
    LogFold fold;
    for (auto const& event : story.world.events) {
        auto const before = pack(fold);
        (void)fold.apply(event);
        CHECK(pack(fold) != before);
    }
}

TEST_CASE("fold: bytes that are none are refused (2.3)") {
    CHECK_FALSE(unpack(""));
    CHECK_FALSE(unpack("neither"));
    auto const bytes = pack(LogFold{});
    CHECK(unpack(bytes));
    CHECK_FALSE(unpack(bytes + "x"));
    CHECK_FALSE(unpack(std::string_view(bytes).substr(1)));
}
