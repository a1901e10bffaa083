// What is counted as it happens. What is looked up stands in metrics_scrape.cpp.
#include "http/metrics.hpp"

#include "http/metrics_scrape.hpp"
#include "projections/event_json.hpp"

#include <iterator>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <tuple>
#include <unordered_map>

namespace cpm::http {
namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using prometheus::Histogram;
using Seconds = std::chrono::duration<double>;

Histogram::BucketBoundaries const kAppendSeconds{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
Histogram::BucketBoundaries const kBatchEvents{1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16384};
Histogram::BucketBoundaries const kPowerSeconds{
    1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 3600};

std::string label(std::string_view view) {
    return std::string(view);
}

} // namespace

struct Metrics::Parts {
    /// A power change that was accepted and is not there yet.
    struct Pending {
        core::PowerStatus target{};
        core::MonoTime since{};
    };

    prometheus::Registry registry;

    Counters& counters(char const* name, char const* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    prometheus::Family<Histogram>& histograms(char const* name, char const* help) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }

    Counters& heartbeats =
        counters("cpm_heartbeats_total", "Heartbeats received, by the status they said.");
    prometheus::Counter& heartbeats_on =
        heartbeats.Add({{"status", label(to_string(core::HeartbeatStatus::On))}});
    prometheus::Counter& heartbeats_stopping =
        heartbeats.Add({{"status", label(to_string(core::HeartbeatStatus::Stopping))}});
    prometheus::Counter& ignored =
        counters("cpm_heartbeats_ignored_total", "Reports that did not count: stale or replaced.")
            .Add({});
    prometheus::Counter& lost =
        counters("cpm_heartbeats_lost_total", "Times a server fell silent for its timeout.")
            .Add({});
    Counters& power_requests = counters(
        "cpm_power_requests_total",
        "Power requests by outcome (accepted, a reason of refusal, adopted, withdrawn) and cause."
    );
    Counters& wake_packets =
        counters("cpm_wake_packets_total", "Magic packets by result (sent, failed).");
    prometheus::Counter& packets_sent = wake_packets.Add({{"result", "sent"}});
    prometheus::Counter& packets_failed = wake_packets.Add({{"result", "failed"}});
    prometheus::Counter& failed_wakes =
        counters(
            "cpm_failed_wakes_total", "ON requests whose server was not ON within the standby time."
        )
            .Add({});
    prometheus::Family<Histogram>& power_changes = histograms(
        "cpm_power_change_duration_seconds", "From an accepted power request to that status."
    );
    Histogram& to_on = power_changes.Add({{"power_status", "ON"}}, kPowerSeconds);
    Histogram& to_off = power_changes.Add({{"power_status", "OFF"}}, kPowerSeconds);
    Histogram& append_time =
        histograms("cpm_log_append_duration_seconds", "Until a batch of events was durable.")
            .Add({}, kAppendSeconds);
    Histogram& batch_events =
        histograms("cpm_log_batch_events", "Events in one batch with one sync.")
            .Add({}, kBatchEvents);
    prometheus::Counter& sync_failures =
        counters(
            "cpm_log_sync_failures_total",
            "Failed syncs; each ends the process, so the next life counts it."
        )
            .Add({});
    Counters& requests =
        counters("cpm_http_requests_total", "HTTP requests answered, by route, method and code.");
    std::map<std::tuple<std::string_view, std::string_view, int>, prometheus::Counter*> requests_of;

    std::unordered_map<core::ServerId, Pending> pending;
};

Metrics::Metrics(bool sync_had_failed)
    : parts_(std::make_unique<Parts>()) {
    if (sync_had_failed)
        parts_->sync_failures.Increment();
}

Metrics::~Metrics() = default;

void Metrics::on_published(manager::Publication const& publication) {
    if (publication.events.empty())
        return;
    parts_->append_time.Observe(Seconds(publication.append_time).count());
    parts_->batch_events.Observe(static_cast<double>(publication.events.size()));
    for (auto const& event : publication.events) {
        count(event);
        time_power_change(event, publication.now.mono);
    }
}

void Metrics::count(core::Event const& event) {
    auto& parts = *parts_;
    auto const count_power = [&](core::PowerStatus target, std::string_view outcome) {
        parts.power_requests
            .Add(
                {{"power_status", label(to_string(target))},
                 {"outcome", label(outcome)},
                 {"cause", label(to_string(event.actor.kind))}}
            )
            .Increment();
    };
    auto const was_delayed = event.actual == core::ActualStatus::StartupDelayed;
    if (auto const* heartbeat = std::get_if<core::HeartbeatReceived>(&event.payload))
        (heartbeat->status == core::HeartbeatStatus::On ? parts.heartbeats_on
                                                        : parts.heartbeats_stopping)
            .Increment();
    else if (std::holds_alternative<core::ReportIgnored>(event.payload))
        parts.ignored.Increment();
    else if (std::holds_alternative<core::HeartbeatLost>(event.payload))
        parts.lost.Increment();
    else if (auto const* requested = std::get_if<core::PowerRequested>(&event.payload))
        count_power(requested->target, "accepted");
    else if (auto const* refused = std::get_if<core::PowerRefused>(&event.payload))
        count_power(refused->target, projections::reason_word(refused->reason));
    else if (std::holds_alternative<core::PowerAdopted>(event.payload))
        count_power(core::PowerStatus::On, "adopted");
    else if (auto const* withdrawn = std::get_if<core::PowerWithdrawn>(&event.payload))
        count_power(withdrawn->power, "withdrawn");
    else if (auto const* wake = std::get_if<core::WakeSent>(&event.payload))
        (wake->ok ? parts.packets_sent : parts.packets_failed).Increment();
    else if (std::holds_alternative<core::StandbyElapsed>(event.payload) && was_delayed)
        parts.failed_wakes.Increment();
}

void Metrics::time_power_change(core::Event const& event, core::MonoTime now) {
    auto& pending = parts_->pending;
    if (auto const* requested = std::get_if<core::PowerRequested>(&event.payload)) {
        pending.insert_or_assign(event.server, Parts::Pending{requested->target, now});
    } else if (std::holds_alternative<core::PowerAdopted>(event.payload) ||
               std::holds_alternative<core::PowerWithdrawn>(event.payload) ||
               std::holds_alternative<core::ServerRemoved>(event.payload)) {
        pending.erase(event.server); // it is no longer asked for
    }
    auto const found = event.server ? pending.find(event.server) : pending.end();
    if (found == pending.end())
        return;
    bool const on = found->second.target == core::PowerStatus::On;
    if (event.actual != (on ? core::ActualStatus::On : core::ActualStatus::Off))
        return;
    // What was so already took no time, and would only make the rest look quick.
    if (found->second.since != now)
        (on ? parts_->to_on : parts_->to_off).Observe(Seconds(now - found->second.since).count());
    pending.erase(found);
}

void Metrics::count_request(std::string_view route, std::string_view method, int status) {
    auto& counter = parts_->requests_of[{route, method, status}];
    if (!counter)
        counter = &parts_->requests.Add(
            {{"route", label(route.empty() ? "none" : route)},
             {"method", label(method)},
             {"code", std::to_string(status)}}
        );
    counter->Increment();
}

std::string Metrics::text(
    core::Fleet const& fleet, eventstore::Head const& head, Figures const& figures
) const {
    auto families = parts_->registry.Collect();
    // A family that has not counted anything yet has no line to show.
    std::erase_if(families, [](auto const& family) { return family.metric.empty(); });
    std::ranges::move(scrape(fleet, head, figures), std::back_inserter(families));
    return prometheus::TextSerializer().Serialize(families);
}

} // namespace cpm::http
