// A log that an agent knows to be older than it was (HTTP 3.3, event log 2.2).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using core::PowerStatus;

namespace {

manager::RequestPower off(core::ServerId server) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    return command;
}

} // namespace

TEST_CASE("rollback: from an agent's witness on nobody is told OFF, in that very round (3.3)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    auto const off_asked = rig.running("m", 2);
    rig.wants(off_asked, PowerStatus::Off);
    rig.happened();
    std::optional<core::Result<manager::NoteRollback::Outcome>> noted;
    std::optional<core::Result<manager::ManifestOutcome>> told;
    std::optional<core::Result<manager::RequestPower::Outcome>> asked;
    rig.queue(manager::NoteRollback{1, "it ends too early"}, noted);
    rig.queue(manager::ReceiveHeartbeat{off_asked, report(core::HeartbeatStatus::On, 1)}, told);
    rig.queue(off(id), asked);
    REQUIRE(rig.round());
    CHECK(noted.value());
    CHECK(told.value()->manifest.power_status == PowerStatus::On);
    CHECK(told.value()->manifest.notice == core::Notice::RolledBack);
    CHECK(asked.value().error().code == core::ErrorCode::RolledBack);
    CHECK(rig.happened() == Names{"HeartbeatReceived"});
    CHECK(rig.engine().readiness() == manager::Readiness::RolledBack);
    CHECK(rig.log().rolled_back() == "it ends too early");
}

TEST_CASE("rollback: an agent's witness holds over a restart, until it is accepted (3.3)") {
    Rig rig{Disk::RocksDb};
    auto const id = rig.running("n", 1);
    REQUIRE(rig.ask(manager::NoteRollback{1, "it ends too early"}));
    rig.restart();
    CHECK(rig.engine().readiness() == manager::Readiness::RolledBack);
    REQUIRE(rig.ask(manager::AcceptRollback{kAlice}));
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
    CHECK(rig.ask(off(id)));
}

TEST_CASE("rollback: one acceptance is enough, whatever epoch the witnesses know (3.3)") {
    Rig rig{Disk::RocksDb};
    REQUIRE(rig.ask(manager::NoteRollback{1, "it ends too early"}));
    REQUIRE(rig.ask(manager::NoteRollback{7, "an agent knows it in epoch 7"}));
    REQUIRE(rig.ask(manager::NoteRollback{4, "an agent knows it in epoch 4"}));
    SUBCASE("at once") {}
    SUBCASE("after a restart") {
        rig.restart();
    }
    REQUIRE(rig.ask(manager::AcceptRollback{kAlice}));
    CHECK(rig.log().head().epoch == 8);
    REQUIRE(rig.ask(manager::NoteRollback{7, "an agent knows it in epoch 7"}));
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
}

TEST_CASE("rollback: a witness of an epoch that has ended proves nothing any more (3.3)") {
    Rig rig;
    REQUIRE(rig.ask(manager::NoteRollback{1, "it ends too early"}));
    std::optional<core::Result<manager::Recorded>> accepted;
    std::optional<core::Result<manager::NoteRollback::Outcome>> noted;
    rig.queue(manager::AcceptRollback{kAlice}, accepted);
    rig.queue(manager::NoteRollback{1, "it ends too early"}, noted);
    REQUIRE(rig.round());
    CHECK(accepted.value());
    CHECK(noted.value());
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
    CHECK_FALSE(rig.log().rolled_back());
}

TEST_CASE("rollback: a witness that comes with the acceptance and knows more outlasts it (3.3)") {
    Rig rig{Disk::RocksDb};
    auto const id = rig.running("n", 1);
    auto const off_asked = rig.running("m", 2);
    rig.wants(off_asked, PowerStatus::Off);
    REQUIRE(rig.ask(manager::NoteRollback{1, "it ends too early"}));
    std::optional<core::Result<manager::Recorded>> accepted;
    std::optional<core::Result<manager::NoteRollback::Outcome>> noted;
    std::optional<core::Result<manager::ManifestOutcome>> told;
    rig.queue(manager::AcceptRollback{kAlice}, accepted);
    rig.queue(manager::NoteRollback{7, "an agent knows it in epoch 7"}, noted);
    rig.queue(manager::ReceiveHeartbeat{off_asked, report(core::HeartbeatStatus::On, 1)}, told);
    REQUIRE(rig.round());
    REQUIRE(accepted.value());
    REQUIRE(noted.value());
    CHECK(told.value()->manifest.power_status == PowerStatus::On);
    SUBCASE("at once") {}
    SUBCASE("after a restart") {
        rig.restart();
    }
    SUBCASE("after a death") {
        rig.kill();
        REQUIRE(rig.start());
    }
    CHECK(rig.engine().readiness() == manager::Readiness::RolledBack);
    CHECK(rig.log().rolled_back() == "an agent knows it in epoch 7");
    CHECK(rig.ask(off(id)).error().code == core::ErrorCode::RolledBack);
    REQUIRE(rig.ask(manager::AcceptRollback{kAlice}));
    CHECK(rig.log().head().epoch == 8);
    CHECK(rig.engine().readiness() == manager::Readiness::Ok);
    CHECK(rig.ask(off(id)));
}
