// A small history, told decision by decision: what the projections are folded over.
#pragma once

#include "core/record.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::test {

inline constexpr core::ServerId kNode1{0x1111};
inline constexpr core::ServerId kNode2{0x2222};
inline core::Actor const kAlice{core::ActorKind::User, "alice"};
inline core::Actor const kAgent{core::ActorKind::Agent, ""};
inline core::Actor const kTimer{core::ActorKind::Timer, ""};

inline core::WallTime at(std::string_view clock) {
    return *core::parse_rfc3339("2026-11-21T" + std::string(clock) + "Z");
}

inline core::BootIdentity boot(std::uint8_t number) {
    core::BootIdentity identity;
    identity.boot_id.bytes[15] = number;
    return identity;
}

/// Says what happens and when; each call is one decision.
class World {
  public:
    core::Fleet fleet;
    std::vector<core::Event> events; ///< all of them, from sequence 1
    core::WallTime now = at("09:00:00");

    std::span<core::Event const>
    decide(core::ServerId server, core::Payloads payloads, core::Actor const& actor) {
        batch_.clear();
        auto const decision =
            core::record(fleet, server, std::move(payloads), {now, actor, {}}, head_, batch_);
        head_.value += decision.size();
        events.insert(events.end(), decision.begin(), decision.end());
        return decision;
    }

    std::span<core::Event const>
    decide(core::ServerId server, core::Payload payload, core::Actor const& actor = kTimer) {
        core::Payloads payloads;
        payloads.push_back(std::move(payload));
        return decide(server, std::move(payloads), actor);
    }

    std::span<core::Event const> add(core::ServerId server, std::string name) {
        core::ServerConfig config;
        config.name = std::move(name);
        config.mac_addresses.push_back({{0x52, 0x54, 0, 0, 0, std::uint8_t(server.value)}});
        return decide(server, core::ServerAdded{config}, kAlice);
    }

    std::span<core::Event const> ask(core::ServerId server, core::PowerStatus target) {
        return decide(server, core::PowerRequested{target, core::seconds(300)}, kAlice);
    }

    /// A heartbeat; adopts or re-asserts as it does in life.
    std::span<core::Event const> report(core::ServerId server, core::Report const& report) {
        auto const& known = fleet.servers.at(server);
        return decide(server, core::decide_heartbeat(known, report, core::seconds(30)), kAgent);
    }

    /// The same of an agent that checks signatures.
    std::span<core::Event const> report(
        core::ServerId server,
        core::HeartbeatStatus status,
        std::uint8_t boot_number = 1,
        std::string blocked_by = ""
    ) {
        core::Report said;
        said.status = status;
        said.identity = boot(boot_number);
        said.nonce = "nonce";
        said.blocked_by = std::move(blocked_by);
        return report(server, said);
    }

    std::span<core::Event const> wake(core::ServerId server) {
        core::WakeSent sent;
        sent.request = state(server).request->sequence;
        sent.ok = true;
        return decide(server, sent);
    }

    std::span<core::Event const> lose(core::ServerId server) {
        return decide(server, core::HeartbeatLost{state(server).last_heartbeat});
    }

    std::span<core::Event const> elapse(core::ServerId server) {
        return decide(server, core::StandbyElapsed{state(server).request->sequence, false});
    }

    core::ServerState const& state(core::ServerId server) { return fleet.servers.at(server).state; }

  private:
    std::vector<core::Event> batch_;
    core::Sequence head_;
};

} // namespace cpm::test
