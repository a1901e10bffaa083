// The manager's engine with everything nondeterministic in the test's hands.
#pragma once

#include "manager/agent_commands.hpp"
#include "manager/engine.hpp"
#include "manager/fleet_commands.hpp"
#include "manager/people_commands.hpp"
#include "manager/power_commands.hpp"
#include "tests/eventstore/temporary_directory.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/recording_subscriber.hpp"
#include "tests/fakes/recording_wake_sender.hpp"
#include "tests/fakes/seeded_random.hpp"
#include "tests/fakes/watched_log.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cpm::test {

using Names = std::vector<std::string>;

inline core::Actor const kAlice{core::ActorKind::User, "alice"};

core::MacAddress mac(std::uint8_t number);
core::BootIdentity boot(std::uint8_t number);
/// What an agent says that can check signatures; its nonce is "nonce".
core::Report report(core::HeartbeatStatus status, std::uint8_t boot_number = 1);

/// Which log is under the engine.
enum class Disk { Memory, RocksDb };

/// One manager: its log, and the process that is started on it again and again.
class Rig {
  public:
    explicit Rig(Disk disk = Disk::Memory);
    ~Rig();

    FakeClock clock;
    SeededRandom random{20261121};
    Journal journal;
    std::optional<std::vector<core::MacAddress>> own_macs{std::in_place};
    std::optional<std::uint64_t> space_reserve;
    int reports_ahead = manager::ReportLimits::kAhead; ///< from the next start on
    RecordingWakeSender sender{journal, clock};
    std::vector<std::string> reports; ///< what the operator was told at starts

    std::filesystem::path directory() const { return directory_.path(); }

    // --- the process

    /// Starts the manager on its log; the first time, too.
    core::Result<void> start();
    /// The process is gone, as after kill -9, and comes back `away` later.
    void restart(std::chrono::nanoseconds away = std::chrono::seconds{1});
    /// The same in steps: what lies between may be changed.
    void kill();
    void open();

    manager::Engine& engine() { return *engine_; }
    WatchedLog& log() { return *log_; }
    RecordingSubscriber const& heard() const { return *subscriber_; }
    eventstore::SnapshotStore const& snapshots() const { return snapshots_; }

    // --- rounds

    /// Puts a command into the next round; `told` gets its outcome.
    template <class Command>
    void queue(Command command, std::optional<core::Result<typename Command::Outcome>>& told) {
        auto tell = [this, &told](core::Result<typename Command::Outcome>&& outcome) {
            CHECK_MESSAGE(!told, "told twice");
            journal.note("answered");
            told = std::move(outcome);
        };
        using Job = manager::CommandJob<Command, decltype(tell)>;
        jobs_.push_back(std::make_unique<Job>(std::move(command), std::move(tell)));
    }
    core::Result<void> round(bool listening = true);
    /// One command in a round of its own.
    template <class Command>
    core::Result<typename Command::Outcome> ask(Command command) {
        std::optional<core::Result<typename Command::Outcome>> told;
        queue(std::move(command), told);
        (void)round();
        REQUIRE(told);
        return std::move(*told);
    }
    /// Time passes, and the engine gets a round whenever it wants one and at the end.
    void pass(std::chrono::nanoseconds time, bool listening = true);

    // --- what servers and people do, all of which must be accepted

    core::ServerId add(core::ServerConfig const& config);
    core::ServerId add(std::string name, std::vector<core::MacAddress> macs);
    /// An agent joins as a machine with these cards; its token.
    std::string join(core::ServerId server, std::vector<core::MacAddress> macs);
    manager::ManifestOutcome says(core::ServerId server, core::Report const& report);
    manager::ManifestOutcome says_on(core::ServerId server, std::uint8_t boot_number = 1);
    manager::ManifestOutcome says_stopping(core::ServerId server, std::uint8_t boot_number = 1);
    core::Sequence wants(core::ServerId server, core::PowerStatus target);
    void set(std::string name, std::string value);
    /// A server with a card and an agent.
    core::ServerId enrolled(std::string name, std::uint8_t number);
    /// The same, up and reporting ON as boot 1.
    core::ServerId running(std::string name, std::uint8_t number);
    /// The same, gone down as asked: OFF, its standby time (5 min) over.
    core::ServerId gone_off(std::string name, std::uint8_t number);

    // --- what became of it

    /// The types of the events since the last call.
    Names happened();
    /// The events of one type since ever.
    std::vector<core::Event> all(std::string_view type) const;
    core::Event last(std::string_view type) const;
    core::Server const& server(core::ServerId id) const;
    std::string actual(core::ServerId id) const;
    /// The fold of the log from nothing.
    core::Fleet replayed() const;
    /// When packets went out, in milliseconds since `since`.
    std::vector<long> packets(core::MonoTime since) const;

  private:
    TemporaryDirectory directory_;
    eventstore::SnapshotStore snapshots_{directory_.path()};
    Disk disk_;
    std::unique_ptr<eventstore::EventLog> stored_;
    std::unique_ptr<WatchedLog> log_;
    std::unique_ptr<RecordingSubscriber> subscriber_;
    std::unique_ptr<manager::Engine> engine_;
    std::vector<std::unique_ptr<manager::Job>> jobs_;
    core::Sequence seen_;
};

} // namespace cpm::test
