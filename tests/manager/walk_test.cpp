// A long random life of a small fleet, with restarts: what must hold at every moment of it (status
// model 1.5, 1.6).
#include "manager/waker.hpp"
#include "tests/manager/rig.hpp"

#include <map>
#include <random>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::HeartbeatStatus;
using core::PowerStatus;

namespace {

constexpr auto kLate = 100ms;

class Walk {
  public:
    explicit Walk(std::uint64_t seed)
        : random_(seed) {
        rig.set("standby_time_seconds", "40");
        rig.set("heartbeat_interval_seconds", "4");
        for (int i = 0; i < 4; ++i)
            add();
    }

    void step() {
        auto const action = below(100);
        if (action < 45)
            heartbeat();
        else if (action < 60)
            power();
        else if (action < 64)
            change_macs();
        else if (action < 66)
            replace();
        else if (action < 68)
            rig.set("release_standby_when_settled", below(2) ? "true" : "false");
        else if (action < 71)
            restart();
        else
            rig.pass(std::chrono::milliseconds(below(below(4) ? 3'000 : 30'000)));
        check();
    }

    void check_log() {
        std::map<core::Sequence, core::Event> by_sequence;
        for (auto const& event : rig.heard().events())
            by_sequence[event.sequence] = event;
        for (auto const& [sequence, event] : by_sequence) {
            if (auto const* lost = std::get_if<core::HeartbeatLost>(&event.payload)) {
                auto const& judged = by_sequence.at(lost->heartbeat);
                auto const& heartbeat = std::get<core::HeartbeatReceived>(judged.payload);
                CHECK(event.at >= judged.at + heartbeat.timeout);
            }
            if (auto const* elapsed = std::get_if<core::StandbyElapsed>(&event.payload)) {
                auto const& asked = by_sequence.at(elapsed->request);
                auto const& request = std::get<core::PowerRequested>(asked.payload);
                CHECK(event.at >= asked.at + request.standby);
            }
            if (auto const* wake = std::get_if<core::WakeSent>(&event.payload)) {
                auto const& asked = by_sequence.at(wake->request);
                CHECK(std::get<core::PowerRequested>(asked.payload).target == PowerStatus::On);
            }
        }
        CHECK(rig.replayed() == rig.heard().fleet());
    }

    Rig rig;

  private:
    unsigned below(unsigned limit) { return unsigned(random_() % limit); }
    core::ServerId any() { return servers_[below(unsigned(servers_.size()))]; }

    void add() {
        auto const number = ++added_;
        auto const id = rig.add("n" + std::to_string(number), {mac(number)});
        rig.join(id, {mac(number)});
        servers_.push_back(id);
    }

    void replace() {
        auto& id = servers_[below(unsigned(servers_.size()))];
        REQUIRE(rig.ask(manager::RemoveServer{kAlice, id, {}, true}));
        std::swap(id, servers_.back());
        servers_.pop_back();
        add();
    }

    void heartbeat() {
        auto said = report(
            below(3) ? HeartbeatStatus::On : HeartbeatStatus::Stopping,
            static_cast<std::uint8_t>(1 + below(3))
        );
        if (below(10) == 0)
            said.blocked_by = "hold";
        auto const told = rig.says(any(), said);
        if (told.manifest.power_status == PowerStatus::Off)
            CHECK(rig.last("OrderSent").sequence == rig.log().head().sequence);
    }

    void power() {
        manager::RequestPower command;
        command.actor = kAlice;
        command.server = any();
        command.target = below(2) ? PowerStatus::On : PowerStatus::Off;
        (void)rig.ask(std::move(command));
    }

    void change_macs() {
        auto const id = any();
        bool const none = below(2);
        auto const number = ++added_;
        manager::UpdateServer command;
        command.actor = kAlice;
        command.server = id;
        command.edit = [=](core::ServerConfig& config) {
            config.mac_addresses.clear();
            if (!none)
                config.mac_addresses.push_back(mac(number));
        };
        REQUIRE(rig.ask(std::move(command)));
    }

    void restart() {
        rig.restart(std::chrono::milliseconds(below(60'000)));
        started_at_ = rig.clock.now().wall;
    }

    /// Nothing is overdue: after a round at this time all that had to happen has happened.
    void check() {
        rig.pass(0s);
        auto const now = rig.clock.now().wall;
        for (auto const& [id, server] : rig.heard().fleet().servers) {
            auto const& state = server.state;
            if (core::standby_is_open(state))
                CHECK(now <= server.requested_at + server.standby + kLate);
            if (state.current != HeartbeatStatus::None) {
                auto const heard = std::max(*server.last_heartbeat_at, started_at_);
                CHECK(now <= heard + server.heartbeat_timeout + kLate);
            }
            bool const is_starting = state.actual == core::ActualStatus::Starting;
            if (is_starting && !server.config.mac_addresses.empty()) {
                auto const& wakes = server.wakes;
                auto const due = wakes.rounds == 0
                                     ? server.requested_at
                                     : wakes.last_at + manager::wake_pause(wakes.rounds);
                auto const stagger = rig.heard().fleet().settings.wake_stagger * 8;
                CHECK(now <= std::max(due, changed(server)) + stagger + kLate);
            }
        }
    }

    /// Since when it could be woken: the start, its status, its cards.
    core::WallTime changed(core::Server const& server) const {
        auto at = std::max(started_at_, server.changed_at);
        for (auto const& event : rig.heard().events())
            if (event.sequence == server.configured)
                at = std::max(at, event.at);
        return at;
    }

    std::mt19937_64 random_;
    std::vector<core::ServerId> servers_;
    std::uint8_t added_ = 0;
    core::WallTime started_at_{};
};

} // namespace

TEST_CASE("walk: nothing is early, late, forgotten or served otherwise than replayed (1.5, 1.6)") {
    auto const seed = std::random_device{}();
    MESSAGE("seed " << seed);
    for (std::uint64_t i = 0; i < 25; ++i) {
        INFO("life " << i);
        Walk walk(seed + i);
        for (int step = 0; step < 300; ++step)
            walk.step();
        walk.check_log();
    }
}
