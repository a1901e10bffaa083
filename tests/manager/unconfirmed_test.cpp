// Requests whose sync failed: never acknowledged, found at the next start, taken back (event log
// 2.2).
#include "eventstore/backup.hpp"
#include "eventstore/fault_point.hpp"
#include "tests/manager/rig.hpp"
#include "tests/support/skip.hpp"

#include <fstream>
#include <sys/stat.h>
#include <thread>

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::PowerStatus;

#ifdef CPM_FAULT_POINTS

namespace {

// Ends with the scope, so that no later case meets it.
struct Fault {
    explicit Fault(char const* fault) { eventstore::arm_fault(fault); }
    ~Fault() { eventstore::arm_fault(nullptr); }
};

manager::RequestPower request(core::ServerId server, PowerStatus target) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = target;
    return command;
}

template <class Command>
void fails_to_sync(Rig& rig, Command command) {
    Fault const fault("append-fails:1");
    auto const outcome = rig.ask(std::move(command));
    REQUIRE_FALSE(outcome);
    REQUIRE(outcome.error().code == core::ErrorCode::Storage);
}

std::vector<core::Sequence> withdrawn(Rig const& rig) {
    std::vector<core::Sequence> requests;
    for (auto const& event : rig.all("PowerWithdrawn"))
        requests.push_back(std::get<core::PowerWithdrawn>(event.payload).request);
    return requests;
}

} // namespace

TEST_CASE("unconfirmed: an ON asked during ShutdownDelayed is taken back, and no OFF returns (2.2)"
) {
    Rig rig(Disk::RocksDb);
    auto const id = rig.running("n", 1);
    rig.set("standby_time_seconds", "1");
    auto const off = rig.wants(id, PowerStatus::Off);
    rig.says_stopping(id);
    rig.pass(1100ms);
    REQUIRE(rig.says_stopping(id).manifest.power_status == PowerStatus::Off);
    REQUIRE(rig.actual(id) == "ShutdownDelayed");
    auto const before = rig.log().head().sequence;
    fails_to_sync(rig, request(id, PowerStatus::On));
    rig.restart();

    CHECK(withdrawn(rig) == std::vector{before.next()});
    CHECK(rig.last("PowerWithdrawn").cause == before.next());
    CHECK(rig.actual(id) == "ShutdownDelayed");
    CHECK(rig.server(id).state.power == PowerStatus::Off);
    CHECK(rig.server(id).state.request->sequence == off);
    rig.pass(10s);
    CHECK(rig.sender.sent.empty());
    CHECK(rig.says_stopping(id).manifest.power_status == PowerStatus::On);
    CHECK(rig.replayed() == rig.heard().fleet());

    rig.happened();
    rig.restart();
    CHECK(rig.happened() == Names{"ManagerStarted"});
}

TEST_CASE("unconfirmed: an OFF is taken back, and its machine is told ON (2.2)") {
    Rig rig(Disk::RocksDb);
    auto const id = rig.running("n", 1);
    auto const other = rig.running("m", 2);
    fails_to_sync(rig, request(id, PowerStatus::Off));
    rig.restart();
    CHECK(withdrawn(rig).size() == 1);
    CHECK(rig.actual(id) == "ON");
    CHECK(rig.actual(other) == "ON");
    CHECK(rig.says_on(id).manifest.power_status == PowerStatus::On);
}

TEST_CASE("unconfirmed: of two requests of one server the newer is taken back first (2.2)") {
    Rig rig(Disk::RocksDb);
    rig.set("release_standby_when_settled", "true");
    auto const id = rig.enrolled("n", 1);
    REQUIRE(rig.actual(id) == "Unknown");
    auto const before = rig.log().head().sequence.value;
    {
        Fault const fault("append-fails:1");
        std::optional<core::Result<manager::RequestPower::Outcome>> off;
        std::optional<core::Result<manager::RequestPower::Outcome>> on;
        rig.queue(request(id, PowerStatus::Off), off);
        rig.queue(request(id, PowerStatus::On), on);
        CHECK_FALSE(rig.round());
        CHECK(off.value().error().code == core::ErrorCode::Storage);
        CHECK(on.value().error().code == core::ErrorCode::Storage);
    }
    rig.restart();
    // OFF of a silent server settles at once: PowerRequested, StandbyReleased, PowerRequested.
    CHECK(withdrawn(rig) == std::vector<core::Sequence>{{before + 3}, {before + 1}});
    CHECK(rig.actual(id) == "Unknown");
    CHECK_FALSE(rig.server(id).state.request);
    CHECK(rig.server(id).state.power == PowerStatus::Off);
    rig.pass(10s);
    CHECK(rig.sender.sent.empty());
}

TEST_CASE("unconfirmed: dying between taking back and forgetting the note changes nothing (2.2)") {
    Rig rig(Disk::RocksDb);
    auto const id = rig.enrolled("n", 1);
    fails_to_sync(rig, request(id, PowerStatus::On));
    rig.kill();
    rig.open();
    rig.log().clearing_fails = true;
    CHECK_FALSE(rig.start());
    rig.restart();
    CHECK(rig.actual(id) == "Unknown");
    CHECK_FALSE(rig.server(id).state.request);
    CHECK_FALSE(rig.log().unconfirmed_from());
    rig.pass(10s);
    CHECK(rig.sender.sent.empty());
    CHECK(rig.replayed() == rig.heard().fleet());
}

TEST_CASE("unconfirmed: a request of a server whose removal was in doubt, too, needs nothing (2.2)"
) {
    Rig rig(Disk::RocksDb);
    auto const id = rig.enrolled("n", 1);
    {
        Fault const fault("append-fails:1");
        std::optional<core::Result<manager::RequestPower::Outcome>> on;
        std::optional<core::Result<manager::RemoveServer::Outcome>> removed;
        rig.queue(request(id, PowerStatus::On), on);
        rig.queue(manager::RemoveServer{kAlice, id, {}, true}, removed);
        CHECK_FALSE(rig.round());
    }
    rig.restart();
    CHECK(withdrawn(rig).empty());
    rig.pass(10s);
    CHECK(rig.sender.sent.empty());
}

TEST_CASE("unconfirmed: after a failed sync nothing is promised, published or sent any more (2.2)"
) {
    Rig rig(Disk::RocksDb);
    // The packets of both are due, one with the next round and one when its turn comes.
    std::optional<core::Result<manager::RequestPower::Outcome>> first;
    std::optional<core::Result<manager::RequestPower::Outcome>> second;
    auto const ids = std::pair(rig.enrolled("n", 1), rig.enrolled("m", 2));
    rig.queue(request(ids.first, PowerStatus::On), first);
    rig.queue(request(ids.second, PowerStatus::On), second);
    REQUIRE(rig.round());
    REQUIRE(rig.sender.sent.empty());
    rig.happened();
    {
        Fault const fault("append-fails:1");
        CHECK_FALSE(rig.ask(manager::FailSignIn{"alice", "192.0.2.1"}));
    }
    auto const packets = rig.sender.sent.size();
    rig.clock.advance(20s);
    auto const later = rig.ask(manager::FailSignIn{"alice", "192.0.2.1"});
    REQUIRE_FALSE(later);
    CHECK(later.error().code == core::ErrorCode::Storage);
    CHECK_FALSE(rig.round());
    CHECK_FALSE(rig.engine().stop());
    CHECK(rig.happened().empty());
    CHECK(rig.sender.sent.size() == packets);
    CHECK(rig.engine().readiness() == manager::Readiness::Fenced);
}

TEST_CASE("unconfirmed: a backup over a restart holds no note that the start has dealt with (2.4)"
) {
    namespace fs = std::filesystem;
    Rig rig(Disk::RocksDb);
    auto const data = rig.directory();
    auto const id = rig.enrolled("n", 1);
    auto const doubtful = rig.log().head().sequence.next();
    fails_to_sync(rig, request(id, PowerStatus::On));
    rig.kill();

    // The backup copies the note, and waits for a small file that is long in coming.
    TemporaryDirectory const elsewhere;
    auto const view = fs::path(elsewhere.path()) / "view";
    auto const target = fs::path(elsewhere.path()) / "backup";
    fs::create_directory(view);
    for (auto const* name : {"log", "head-witness", "unconfirmed-from"})
        fs::create_symlink(data / name, view / name);
    REQUIRE(::mkfifo((view / "list-of-files").c_str(), 0600) == 0);
    core::Result<void> backed_up;
    std::thread copying([&] {
        auto const fine = [](auto const&) { return core::Result<void>{}; };
        backed_up = eventstore::back_up(view, target, fine);
    });
    std::ofstream list(view / "list-of-files"); // opens when it is read, after the note
    REQUIRE(rig.start());
    REQUIRE(withdrawn(rig) == std::vector{doubtful});
    rig.wants(id, PowerStatus::On);
    rig.says_on(id);
    rig.says_on(id);
    REQUIRE(rig.engine().stop());
    fs::remove(view / "list-of-files");
    list << std::ifstream(data / "list-of-files").rdbuf();
    list.close();
    copying.join();
    REQUIRE_MESSAGE(backed_up, (backed_up ? "" : backed_up.error().detail));
    CHECK_FALSE(fs::exists(target / "unconfirmed-from"));

    rig.kill();
    for (auto const& entry : fs::directory_iterator(data))
        fs::remove_all(entry.path());
    REQUIRE(eventstore::restore(target, data));
    REQUIRE(rig.start());
    CHECK(withdrawn(rig) == std::vector{doubtful});
    CHECK(rig.actual(id) == "ON");
}

#else

TEST_CASE("unconfirmed: failed syncs are only tested in builds with fault points") {
    test_support::skip("this build has no fault points (CPM_FAULT_POINTS)");
}

#endif
