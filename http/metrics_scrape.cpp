#include "http/metrics_scrape.hpp"

#include "http/process_figures.hpp"

#include <array>
#include <initializer_list>
#include <string>
#include <utility>

namespace cpm::http {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

constexpr std::array kStatuses{
    core::ActualStatus::Unknown,
    core::ActualStatus::On,
    core::ActualStatus::Off,
    core::ActualStatus::Starting,
    core::ActualStatus::StartupDelayed,
    core::ActualStatus::BeforeStopping,
    core::ActualStatus::Stopping,
    core::ActualStatus::ShutdownDelayed,
    core::ActualStatus::ManuallyOn,
    core::ActualStatus::Crashed,
};

double seconds_since_1970(core::WallTime time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

MetricFamily gauge(std::string name, std::string help) {
    return {std::move(name), std::move(help), MetricType::Gauge, {}};
}

void add(MetricFamily& family, double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter)
        metric.counter.value = value;
    else
        metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
}

MetricFamily gauge(std::string name, std::string help, double value) {
    auto family = gauge(std::move(name), std::move(help));
    add(family, value);
    return family;
}

MetricFamily counter(std::string name, std::string help, double value) {
    MetricFamily family{std::move(name), std::move(help), MetricType::Counter, {}};
    add(family, value);
    return family;
}

MetricFamily servers_by_status(core::Fleet const& fleet) {
    std::array<std::size_t, kStatuses.size()> counts{};
    for (auto const& [id, server] : fleet.servers)
        ++counts.at(static_cast<std::size_t>(server.state.actual));
    auto family = gauge("cpm_servers", "Servers by actual status.");
    for (auto const status : kStatuses)
        add(family,
            static_cast<double>(counts.at(static_cast<std::size_t>(status))),
            {{"status", std::string(to_string(status))}});
    return family;
}

void add_servers(std::vector<MetricFamily>& families, core::Fleet const& fleet) {
    auto statuses = gauge("cpm_server_actual_status", "1 for the actual status of each server.");
    auto heartbeats = gauge(
        "cpm_server_last_heartbeat_timestamp_seconds", "When each server's last heartbeat came."
    );
    statuses.metric.reserve(fleet.servers.size());
    heartbeats.metric.reserve(fleet.servers.size());
    for (auto const& [id, server] : fleet.servers) {
        auto const server_id = to_string(id);
        add(statuses,
            1,
            {{"server_id", server_id},
             {"name", server.config.name},
             {"status", std::string(to_string(server.state.actual))}});
        if (server.last_heartbeat_at)
            add(heartbeats,
                seconds_since_1970(*server.last_heartbeat_at),
                {{"server_id", server_id}, {"name", server.config.name}});
    }
    families.push_back(std::move(statuses));
    families.push_back(std::move(heartbeats));
}

MetricFamily readiness(manager::Readiness present) {
    using enum manager::Readiness;
    auto family = gauge("cpm_ready", "1 for what /readyz says, 0 for what it does not.");
    for (auto const state : {Starting, Verifying, Ok, NoSpace, RolledBack, Fenced})
        add(family, state == present ? 1 : 0, {{"state", std::string(manager::to_string(state))}});
    return family;
}

void add_process(std::vector<MetricFamily>& families, Figures const& figures) {
    auto const process = read_process_figures();
    families.push_back(
        counter("cpm_process_cpu_seconds_total", "User and system time spent.", process.cpu_seconds)
    );
    families.push_back(
        gauge("cpm_process_resident_memory_bytes", "Memory in use.", process.resident_bytes)
    );
    families.push_back(
        gauge("cpm_process_virtual_memory_bytes", "Address space in use.", process.virtual_bytes)
    );
    families.push_back(gauge("cpm_process_open_fds", "Open file descriptors.", process.open_fds));
    families.push_back(gauge("cpm_process_max_fds", "Their limit.", process.max_fds));
    families.push_back(gauge("cpm_process_threads", "Threads.", process.threads));
    families.push_back(gauge(
        "cpm_process_start_time_seconds",
        "When the process started.",
        seconds_since_1970(figures.started)
    ));
    auto build = gauge("cpm_build_info", "Always 1; the version is a label.");
    add(build, 1, {{"version", figures.version}});
    families.push_back(std::move(build));
}

} // namespace

std::vector<MetricFamily>
scrape(core::Fleet const& fleet, eventstore::Head const& head, Figures const& figures) {
    auto const number = [](std::size_t value) { return static_cast<double>(value); };
    std::vector<MetricFamily> families;
    families.push_back(servers_by_status(fleet));
    if (fleet.settings.metrics_per_server)
        add_servers(families, fleet);
    families.push_back(readiness(figures.readiness));
    families.push_back(
        gauge("cpm_log_sequence", "The last event's sequence.", number(head.sequence.value))
    );
    families.push_back(gauge("cpm_log_epoch", "Rises with a rollback.", number(head.epoch)));
    if (figures.log_bytes)
        families.push_back(
            gauge("cpm_log_bytes", "The log's size on disk.", number(*figures.log_bytes))
        );
    families.push_back(gauge("cpm_timers", "Deadlines that are armed.", number(figures.timers)));
    families.push_back(gauge(
        "cpm_writer_queue_commands", "Commands that wait for the writer.", number(figures.queued)
    ));
    families.push_back(
        gauge("cpm_http_connections", "Open connections.", number(figures.connections))
    );
    families.push_back(
        gauge("cpm_stream_clients", "Open event streams.", number(figures.stream_clients))
    );
    families.push_back(counter(
        "cpm_stream_clients_dropped_total",
        "Event streams that ended because their client read too slowly.",
        number(figures.streams_dropped)
    ));
    add_process(families, figures);
    return families;
}

} // namespace cpm::http
