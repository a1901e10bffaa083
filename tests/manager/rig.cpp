#include "tests/manager/rig.hpp"

#include "core/evolve.hpp"
#include "eventstore/memory_log.hpp"
#include "eventstore/rocksdb_log.hpp"

#include <stdexcept>

namespace cpm::test {

using namespace std::chrono_literals;

core::MacAddress mac(std::uint8_t number) {
    return {{0x52, 0x54, 0, 0, 0, number}};
}

core::BootIdentity boot(std::uint8_t number) {
    core::BootIdentity identity;
    identity.boot_id.bytes[15] = number;
    return identity;
}

core::Report report(core::HeartbeatStatus status, std::uint8_t boot_number) {
    core::Report said;
    said.status = status;
    said.identity = boot(boot_number);
    said.nonce = "nonce";
    return said;
}

Rig::Rig(Disk disk)
    : disk_(disk) {
    auto const started = start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
    happened();
    journal.clear();
}

Rig::~Rig() = default;

void Rig::open() {
    if (disk_ == Disk::Memory) {
        if (!stored_) // what is in memory is not closed
            stored_ = std::make_unique<eventstore::MemoryLog>();
    } else {
        auto opened = eventstore::RocksDbLog::open({.directory = directory_.path()});
        REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
        stored_ = std::move(*opened);
    }
    log_ = std::make_unique<WatchedLog>(*stored_, journal);
}

core::Result<void> Rig::start() {
    if (!log_)
        open();
    subscriber_ = std::make_unique<RecordingSubscriber>(journal);
    engine_ = std::make_unique<manager::Engine>(manager::EngineParts{
        .log = *log_,
        .sender = sender,
        .clock = clock,
        .random = random,
        .subscriber = *subscriber_,
        .own_macs = [this] { return own_macs; },
        .version = "test",
        .space_reserve = space_reserve,
        .snapshots = &snapshots_,
        .report = [this](std::string_view line) { reports.emplace_back(line); },
        .reports_ahead = reports_ahead,
    });
    return engine_->start();
}

void Rig::kill() {
    engine_.reset();
    jobs_.clear();
    log_.reset();
    if (disk_ == Disk::RocksDb)
        stored_.reset();
}

void Rig::restart(std::chrono::nanoseconds away) {
    kill();
    clock.advance(away);
    auto const started = start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
}

core::Result<void> Rig::round(bool listening) {
    std::vector<std::unique_ptr<manager::Job>> jobs;
    jobs.swap(jobs_);
    return engine_->round(jobs, clock.now(), listening);
}

void Rig::pass(std::chrono::nanoseconds time, bool listening) {
    auto const end = clock.now().mono + time;
    for (auto due = engine_->next_due(); due && *due <= end; due = engine_->next_due()) {
        clock.advance_to(*due);
        REQUIRE(round(listening));
    }
    clock.advance_to(end);
    REQUIRE(round(listening));
}

core::ServerId Rig::add(core::ServerConfig const& config) {
    auto const added = ask(manager::AddServer{kAlice, config, {}});
    REQUIRE_MESSAGE(added, (added ? "" : added.error().detail));
    return added->server;
}

core::ServerId Rig::add(std::string name, std::vector<core::MacAddress> macs) {
    core::ServerConfig config;
    config.name = std::move(name);
    config.mac_addresses = std::move(macs);
    return add(config);
}

std::string Rig::join(core::ServerId server, std::vector<core::MacAddress> macs) {
    auto const token = ask(manager::CreateJoinToken{kAlice, server, false});
    REQUIRE(token);
    manager::JoinAgent command;
    command.join_token = token->join_token;
    command.machine = {"host", std::move(macs)};
    auto const joined = ask(std::move(command));
    REQUIRE_MESSAGE(joined, (joined ? "" : joined.error().detail));
    return joined->agent_token;
}

manager::ManifestOutcome Rig::says(core::ServerId server, core::Report const& said) {
    auto const told = ask(manager::ReceiveHeartbeat{server, said});
    REQUIRE_MESSAGE(told, (told ? "" : told.error().detail));
    return *told;
}

manager::ManifestOutcome Rig::says_on(core::ServerId server, std::uint8_t boot_number) {
    return says(server, report(core::HeartbeatStatus::On, boot_number));
}

manager::ManifestOutcome Rig::says_stopping(core::ServerId server, std::uint8_t boot_number) {
    return says(server, report(core::HeartbeatStatus::Stopping, boot_number));
}

core::Sequence Rig::wants(core::ServerId server, core::PowerStatus target) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = target;
    auto const outcome = ask(std::move(command));
    REQUIRE_MESSAGE(outcome, (outcome ? "" : outcome.error().detail));
    REQUIRE(outcome->accepted);
    return outcome->sequence;
}

void Rig::set(std::string name, std::string value) {
    auto const changed =
        ask(manager::ChangeSettings{kAlice, {{std::move(name), std::move(value)}}});
    REQUIRE_MESSAGE(changed, (changed ? "" : changed.error().detail));
}

core::ServerId Rig::enrolled(std::string name, std::uint8_t number) {
    auto const id = add(std::move(name), {mac(number)});
    join(id, {mac(number)});
    return id;
}

core::ServerId Rig::running(std::string name, std::uint8_t number) {
    auto const id = enrolled(std::move(name), number);
    says_on(id);
    says_on(id);
    REQUIRE(actual(id) == "ON");
    return id;
}

core::ServerId Rig::gone_off(std::string name, std::uint8_t number) {
    auto const id = running(std::move(name), number);
    wants(id, core::PowerStatus::Off);
    says_stopping(id);
    pass(301s);
    REQUIRE(actual(id) == "OFF");
    return id;
}

Names Rig::happened() {
    Names names;
    auto const& events = subscriber_->events();
    for (auto const& event : events)
        if (event.sequence > seen_)
            names.emplace_back(core::type_name(event.payload));
    if (!events.empty())
        seen_ = events.back().sequence;
    return names;
}

std::vector<core::Event> Rig::all(std::string_view type) const {
    std::vector<core::Event> found;
    for (auto const& event : subscriber_->events())
        if (core::type_name(event.payload) == type)
            found.push_back(event);
    return found;
}

core::Event Rig::last(std::string_view type) const {
    auto const found = all(type);
    if (found.empty())
        throw std::runtime_error("there is no " + std::string(type));
    return found.back();
}

core::Server const& Rig::server(core::ServerId id) const {
    return subscriber_->fleet().servers.at(id);
}

std::string Rig::actual(core::ServerId id) const {
    return std::string(core::to_string(server(id).state.actual));
}

core::Fleet Rig::replayed() const {
    core::Fleet fleet;
    auto const read = log_->read({1}, log_->head().sequence, [&](auto const& stored) {
        core::evolve(fleet, stored.event);
        return true;
    });
    REQUIRE(read);
    return fleet;
}

std::vector<long> Rig::packets(core::MonoTime since) const {
    std::vector<long> times;
    for (auto const& sent : sender.sent)
        times.push_back(
            std::chrono::duration_cast<std::chrono::milliseconds>(sent.at - since).count()
        );
    return times;
}

} // namespace cpm::test
