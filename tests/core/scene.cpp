#include "tests/core/scene.hpp"

#include "core/evolve.hpp"
#include "core/status_table.hpp"

#include <ranges>
#include <stdexcept>

using namespace cpm::core;
using namespace std::chrono_literals;

namespace {

constexpr seconds kTimeout = 30s;
constexpr seconds kStandby = 300s;

} // namespace

BootIdentity boot(std::uint8_t number, std::uint64_t resume_count) {
    BootIdentity identity;
    identity.boot_id.bytes[15] = number;
    identity.resume_count = resume_count;
    return identity;
}

Report says_on(std::optional<BootIdentity> identity) {
    Report report;
    report.status = HeartbeatStatus::On;
    report.identity = identity;
    report.nonce = Scene::kNonce;
    return report;
}

Report says_stopping(std::optional<BootIdentity> identity) {
    auto report = says_on(identity);
    report.status = HeartbeatStatus::Stopping;
    return report;
}

Scene::Scene() {
    ServerConfig config;
    config.name = "rack1-node3";
    append({ServerAdded{config}}, kId);
}

std::vector<std::string> Scene::append(Payloads&& payloads, ServerId server) {
    std::vector<Event> batch;
    record(fleet_, server, std::move(payloads), Provenance{}, head_, batch);
    std::vector<std::string> names;
    for (auto& event : batch) {
        head_ = event.sequence;
        names.emplace_back(type_name(event.payload));
        log_.push_back(std::move(event));
    }
    return names;
}

Outcome Scene::asks(PowerStatus target, PowerGuards const& guards) {
    auto const before = state();
    auto decision = decide_power(server(), target, kStandby, guards);
    Outcome outcome{append(std::move(decision.events), kId), std::move(decision.refusal)};
    if (!outcome.refusal && !outcome.events.empty())
        before_request_ = before;
    return outcome;
}

Answer Scene::reports(Report const& report) {
    auto events = append(decide_heartbeat(server(), report, kTimeout), kId);
    Asker const asker{
        .identity = report.identity,
        .nonce = report.nonce,
        .way = OrderWay::Heartbeat,
        .counted = events.at(0) == "HeartbeatReceived",
    };
    return {manifest_for(server(), fleet_.settings, asker, false), std::move(events)};
}

std::vector<std::string> Scene::falls_silent() {
    return append(decide_silence(state(), state().last_heartbeat), kId);
}

std::vector<std::string> Scene::standby_elapses(bool late) {
    if (!state().request)
        return {};
    return append(decide_elapsed(state(), state().request->sequence, late), kId);
}

void Scene::joins() {
    append({AgentJoined{}}, kId);
}

void Scene::reinstated() {
    append({AgentReinstated{}}, kId);
}

void Scene::manager_starts() {
    append({ManagerStarted{}}, {});
}

void Scene::sync_of_request_failed() {
    auto const requested = std::ranges::find_if(log_ | std::views::reverse, [](Event const& event) {
        return std::holds_alternative<PowerRequested>(event.payload);
    });
    auto const request = requested->sequence;
    manager_starts();
    append({decide_withdrawal(before_request_, request)}, kId);
}

void Scene::setting(std::string name, std::string value) {
    append({SettingsChanged{{{std::move(name), std::move(value)}}}}, {});
}

void Scene::configure(ServerConfig const& config) {
    append({ServerUpdated{config}}, kId);
}

Scene Scene::running() {
    Scene scene;
    scene.asks(PowerStatus::On);
    scene.reports(says_on(boot(1)));
    scene.reports(says_on(boot(1)));
    scene.standby_elapses();
    return scene;
}

Scene Scene::going_off() {
    auto scene = running();
    scene.asks(PowerStatus::Off);
    return scene;
}

Scene Scene::gone_off() {
    auto scene = going_off();
    scene.reports(says_stopping(boot(1)));
    scene.falls_silent();
    scene.standby_elapses();
    return scene;
}

std::string Scene::rule() const {
    return std::string(classify(state()).rule);
}

Manifest Scene::held_call(std::optional<BootIdentity> identity, bool rolled_back) const {
    Asker const asker{
        .identity = identity, .nonce = std::string(kNonce), .way = OrderWay::Manifest};
    return manifest_for(server(), fleet_.settings, asker, rolled_back);
}

PowerAdopted const& Scene::last_adoption() const {
    for (auto const& event : log_ | std::views::reverse)
        if (auto const* adopted = std::get_if<PowerAdopted>(&event.payload))
            return *adopted;
    throw std::runtime_error("nothing was adopted");
}

Fleet Scene::replayed() const {
    Fleet fleet;
    for (auto const& event : log_)
        evolve(fleet, event);
    return fleet;
}
