#pragma once

#include "core/fleet.hpp"
#include "projections/decisions.hpp"
#include "tools/cpm-replay/names.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

namespace cpm::replay {

using Microseconds = std::chrono::microseconds;

/// How long a power request took to be what was asked for.
struct SettlingTime {
    core::ServerId server;
    core::Sequence request;
    core::WallTime asked_at;
    Microseconds took{};
};

/// What is counted of one server.
struct ServerFigures {
    std::uint64_t events = 0;
    std::uint64_t heartbeats = 0;
    std::uint64_t losses = 0;
    /// Between heartbeats that followed each other without a loss.
    std::uint64_t gaps = 0;
    Microseconds all_gaps{};
    Microseconds longest_gap{};
    core::WallTime longest_gap_at{};          ///< where it began
    std::array<Microseconds, 10> in_status{}; ///< by ActualStatus
};

/// Figures of a log, folded decision by decision. Times are what the manager's clock said; one that
/// went back counts as none.
class Statistics {
  public:
    static constexpr std::size_t kSlowest = 10;

    /// Up to `compacted` the log has not all heartbeats: what lies between those it has is no gap.
    explicit Statistics(core::Sequence compacted);

    void add(core::Event const& event) { decisions_.add(event); }
    /// After the last event.
    void end();

    std::vector<std::uint64_t> const& by_type() const { return by_type_; } ///< by Payload index
    std::unordered_map<core::ServerId, ServerFigures> const& servers() const { return servers_; }
    std::vector<SettlingTime> const& slowest_starts() const { return starts_; }
    std::vector<SettlingTime> const& slowest_stops() const { return stops_; }
    Names const& names() const { return names_; }
    core::Sequence compacted() const { return compacted_; }
    core::WallTime first_at() const { return first_at_; }
    core::WallTime last_at() const { return last_at_; }

  private:
    struct Running {
        core::ActualStatus status{};
        core::WallTime since{};
        /// The last one, none after a loss or where others may be missing.
        std::optional<core::WallTime> heartbeat;
        core::Sequence timed; ///< the request whose time was taken already
    };

    void judge(std::span<core::Event const> decision);
    void note_heartbeat(core::Event const& event, ServerFigures& figures, Running& running);
    void note_status(core::Event const& event, core::Server const* server);
    void note_settled(core::Event const& event, core::Server const& server, Running& running);

    core::Sequence const compacted_;
    projections::DecisionReader<std::function<void(std::span<core::Event const>)>> decisions_;
    core::Fleet fleet_;
    Names names_;
    std::vector<std::uint64_t> by_type_;
    std::unordered_map<core::ServerId, ServerFigures> servers_;
    std::unordered_map<core::ServerId, Running> running_;
    std::vector<SettlingTime> starts_; ///< slowest first
    std::vector<SettlingTime> stops_;
    core::WallTime first_at_{};
    core::WallTime last_at_{};
};

} // namespace cpm::replay
