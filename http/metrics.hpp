#pragma once

#include "core/fleet.hpp"
#include "http/read_model.hpp"
#include "manager/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::http {

/// What is looked up when the metrics are asked for.
struct Figures {
    core::WallTime started; ///< of this process
    manager::Readiness readiness{};
    std::size_t timers = 0;      ///< deadlines that are armed
    std::size_t queued = 0;      ///< commands that wait for the writer
    std::size_t connections = 0; ///< open ones
    std::size_t stream_clients = 0;
    std::uint64_t streams_dropped = 0;      ///< clients that read too slowly, since the start
    std::optional<std::uint64_t> log_bytes; ///< of the log on disk; none: not known
    std::string version;
};

/// The metrics of GET /metrics (HTTP 3.6).
///
/// Operation: what happens is counted as it happens, at a cost that does not grow with the fleet;
/// what is the case (statuses, timers, sizes) is looked up when it is asked for. All counters begin
/// with the process. One is carried over: a sync that failed ended the life before this one, so it
/// is counted in this one.
///
/// Concurrency: the interface's thread.
class Metrics {
  public:
    explicit Metrics(bool sync_had_failed);
    ~Metrics();

    void on_published(manager::Publication const& publication);

    /// One request that was answered. `route` is the pattern in the route table, or empty when
    /// there was none; it must live as long as the program, as `method` must.
    void count_request(std::string_view route, std::string_view method, int status);

    /// Everything in Prometheus' text format.
    std::string
    text(core::Fleet const& fleet, eventstore::Head const& head, Figures const& figures) const;

    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  private:
    void count(core::Event const& event);
    void time_power_change(core::Event const& event, core::MonoTime now);

    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace cpm::http
