#pragma once

#include "core/decide.hpp"
#include "core/fleet.hpp"

#include <compare>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

namespace cpm::replay {

/// The settings that hold instead of those of the log, for every server; none: as it was.
struct OtherSettings {
    std::optional<core::seconds> standby;
    std::optional<std::uint32_t> missed;
    std::optional<bool> release_standby;
};

/// Decides what people and agents of a log did anew, under other settings (event log 2.4).
///
/// Operation: fed with the log's events in order. What came from outside (requests, reports,
/// changes of servers and settings, starts of the manager) is decided by core's own rules; what the
/// manager concluded then is left out and concluded anew. The clock is the log's times. Silence
/// follows the log's own losses for a heartbeat whose timeout is the same as it was, and a standby
/// time ends with the log's event if that comes in time; so without other settings all is as it
/// was.
///
/// Limitations: agents and people do what they did; that the manager was held up for a while is not
/// known from the log.
class Simulation {
  public:
    /// How late a report may come after a computed deadline and still count: the log has the times
    /// of decisions, answers left later, and a deadline may be 100 ms late (status model 1.5).
    static constexpr std::chrono::milliseconds kPatience{250};

    using Decided = std::function<void(std::span<core::Event const>)>;

    /// Up to `compacted` the log has not all heartbeats: until there its own losses stand.
    /// `decided` hears each decision, after fleet() has it.
    Simulation(OtherSettings settings, core::Sequence compacted, Decided decided);

    void add(core::Event const& recorded);

    core::Fleet const& fleet() const { return fleet_; }

  private:
    enum class Kind : std::uint8_t { Standby, Silence };
    struct Due {
        core::WallTime at; ///< after kPatience
        core::ServerId server;
        Kind kind{};
        auto operator<=>(Due const&) const = default;
    };
    /// What of this server's log stands for what was decided anew.
    struct Track {
        core::Sequence request;   ///< of the log, none: refused there
        core::Sequence requested; ///< decided anew
        bool follows_standby = false;
        std::optional<core::ServerState> before_request;
        core::Sequence heartbeat;
        bool follows_silence = false;
        std::optional<Due> standby;
        std::optional<Due> silence;
    };

    void take(core::Event const& event);
    void request(
        core::Event const& event,
        core::PowerStatus target,
        core::seconds standby,
        core::PowerGuards const& guards
    );
    void
    report(core::Event const& event, core::Report report, std::optional<core::seconds> timeout);
    void lose(core::Event const& event, core::HeartbeatLost const& lost);
    void elapse(core::Event const& event, core::StandbyElapsed const& elapsed);
    void wake(core::Event const& event, core::WakeSent sent);
    void withdraw(core::Event const& event, core::PowerWithdrawn const& withdrawn);
    void start(core::Event const& event);
    void pass_on(core::Event const& event);

    void fire_until(core::WallTime now);
    void fire(Due const& due);
    void arm(std::optional<Due>& slot, std::optional<Due> due);
    std::span<core::Event const> record(
        core::ServerId server,
        core::Payloads&& payloads,
        core::Actor const& actor,
        core::WallTime at,
        core::Sequence cause = {}
    );

    OtherSettings const settings_;
    core::Sequence const compacted_;
    Decided const decided_;
    core::Fleet fleet_;
    core::Sequence head_;
    core::WallTime now_{};
    std::unordered_map<core::ServerId, Track> tracks_;
    std::set<Due> due_;
    std::vector<core::Event> batch_;
};

} // namespace cpm::replay
