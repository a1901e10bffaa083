// Failed syncs, second processes, and death at the worst moment (event log 2.2).
#include "eventstore/fault_point.hpp"
#include "eventstore/side_files.hpp"
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/processes.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/syncs.hpp"
#include "tests/eventstore/temporary_directory.hpp"
#include "tests/support/skip.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <unistd.h>

using namespace cpm::core;
using namespace cpm::eventstore;
namespace fs = std::filesystem;

namespace {

fs::path given_directory() {
    char const* const directory = std::getenv("CPM_TEST_DIRECTORY");
    REQUIRE_MESSAGE(directory, "run by another case only");
    return directory;
}

} // namespace

TEST_CASE("fence: a log that is open is not opened again, here or in another process (2.2)") {
    TemporaryDirectory directory;
    auto const first = open_log(directory.path());
    REQUIRE(first.log);
    auto const here = open_log(directory.path());
    REQUIRE_FALSE(here.log);
    CHECK(here.code == ErrorCode::Fenced);
    CHECK(here.why.find(directory.path().string()) != std::string::npos);

    CHECK(append_simple(*first.log, 1) == "");
}

TEST_CASE("child: opens a log that is in use" * doctest::skip()) {
    auto const opening = open_log(given_directory());
    CHECK_FALSE(opening.log);
    CHECK(opening.code == ErrorCode::Fenced);
    CHECK(opening.why.find(given_directory().string()) != std::string::npos);
    set_file_text(given_directory() / "child-was-here", "");
}

TEST_CASE("child: appends five pairs" * doctest::skip()) {
    auto const opening = open_log(given_directory());
    REQUIRE_MESSAGE(opening.log, opening.why);
    for (int i = 0; i < 5; ++i)
        CHECK(append_simple(*opening.log, 2) == "");
}

TEST_CASE("fence: a second process is refused until the first is done (2.2)") {
    TemporaryDirectory directory;
    {
        auto const opening = open_log(directory.path());
        REQUIRE(append_simple(*opening.log, 1) == "");
        CHECK(wait_for(start("child: opens a log that is in use", directory.path())) == 0);
        CHECK(fs::exists(directory.path() / "child-was-here"));
        CHECK(append_simple(*opening.log, 1) == "");
    }
    CHECK(wait_for(start("child: appends five pairs", directory.path())) == 0);
    CHECK(open_log(directory.path()).log->head().sequence == Sequence{12});
}

// Appends as a manager does and notes what it acknowledged; the sync that CPM_TEST_SYNC names fails
// (a minus before it: and all after it). Exit status 3 when it met that failure.
TEST_CASE("child: appends while a sync fails" * doctest::skip()) {
    auto const directory = given_directory();
    leave_out_syncs(); // but count them
    int const which = std::atoi(std::getenv("CPM_TEST_SYNC"));
    fail_sync(std::abs(which), which < 0);
    auto const opening = open_log(directory / "data");
    for (int i = 0; opening.log && i < 6; ++i) {
        if (append_simple(*opening.log, 2) == "")
            set_file_text(
                directory / "acknowledged", std::to_string(opening.log->head().sequence.value)
            );
        static_cast<void>(opening.log->keep_witness());
    }
    if (failed_syncs() > 0)
        ::_exit(3);
}

TEST_CASE("sync: whichever one fails, once or for good, nothing acknowledged is lost (2.2)") {
    int met = 0;
    for (bool const for_good : {false, true}) {
        for (int n = 1;; ++n) {
            TemporaryDirectory directory(fast_place());
            ::setenv("CPM_TEST_SYNC", std::to_string(for_good ? -n : n).c_str(), 1);
            auto const ended =
                wait_for(start("child: appends while a sync fails", directory.path()));
            REQUIRE_MESSAGE(n < 500, "syncs without end");
            if (ended == 0)
                break; // there are fewer syncs than that
            CHECK_MESSAGE(ended == 3, "sync ", n);
            ++met;
            auto const note = file_text(directory.path() / "acknowledged");
            auto const acknowledged = std::strtoull(note.c_str(), nullptr, 10);
            auto const opening = open_log(directory.path() / "data");
            REQUIRE_MESSAGE(opening.log, "sync ", n, ": ", opening.why);
            auto const [events, error] = read_all(*opening.log);
            CHECK_MESSAGE(error == "", "sync ", n);
            CHECK_MESSAGE(events == simple_events(0, events.size()), "sync ", n);
            CHECK_MESSAGE(events.size() >= acknowledged, "sync ", n);
            if (events.size() > acknowledged) {
                // Never promised: then that is known, and from where.
                REQUIRE_MESSAGE(opening.log->unconfirmed_from(), "sync ", n);
                CHECK(opening.log->unconfirmed_from()->value == acknowledged + 1);
            }
        }
    }
    MESSAGE(met, " failed syncs");
    CHECK(met > 20);
}

#ifdef CPM_FAULT_POINTS

namespace {

// Ends with the scope, so that no later case meets it.
struct Fault {
    explicit Fault(char const* fault) { arm_fault(fault); }
    ~Fault() { arm_fault(nullptr); }
};

} // namespace

TEST_CASE("sync: after a failed one nothing is accepted, and the next start knows from where (2.2)"
) {
    TemporaryDirectory directory;
    auto const data = directory.path();
    {
        auto const opening = open_log(data);
        REQUIRE(append_simple(*opening.log, 2) == "");
        auto const head = opening.log->head();
        Fault const fault("append-fails:1");
        auto const failed = opening.log->append({2}, simple_events(2, 2), {});
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == ErrorCode::Storage);
        CHECK(opening.log->head() == head);
        CHECK(read_all(*opening.log).first.size() == 2);
        CHECK_FALSE(opening.log->unconfirmed_from()); // of the life before this one

        auto const after = opening.log->append({2}, simple_events(2, 1), {});
        REQUIRE_FALSE(after);
        CHECK(after.error().code == ErrorCode::Storage);
        RecordChange const change{Table::Accounts, "a", "b"};
        CHECK_FALSE(opening.log->append({2}, {}, std::span(&change, 1)));
        REQUIRE(opening.log->keep_witness());
    }
    CHECK(file_text(data / "unconfirmed-from") == "sequence 3\n");
    CHECK(read_witness(SideFiles(data)).value()->sequence == Sequence{2});
    {
        auto const opening = open_log(data);
        REQUIRE_MESSAGE(opening.log, opening.why);
        CHECK(opening.log->unconfirmed_from() == Sequence{3});
        CHECK(
            opening.log->head().sequence == Sequence{4}
        ); // never promised, and there all the same
        CHECK(append_simple(*opening.log, 1) == "");
    }
    {
        auto const opening = open_log(data);
        CHECK(opening.log->unconfirmed_from() == Sequence{3}); // until it is dealt with
        REQUIRE(opening.log->clear_unconfirmed());
        CHECK_FALSE(opening.log->unconfirmed_from());
    }
    CHECK_FALSE(open_log(data).log->unconfirmed_from());
}

TEST_CASE("sync: a second failure keeps the earlier note that nobody dealt with (2.2)") {
    TemporaryDirectory directory;
    auto const data = directory.path();
    for (char const* fault : {"append-fails:2", "append-fails:1"}) {
        auto const opening = open_log(data);
        REQUIRE(opening.log);
        Fault const armed(fault);
        append_simple(*opening.log, 1);
        append_simple(*opening.log, 1);
    }
    CHECK(open_log(data).log->unconfirmed_from() == Sequence{2});
}

TEST_CASE("death: killed before the write the batch is gone, after it the batch is there (2.2)") {
    struct Case {
        char const* fault;
        std::uint64_t events;
    };
    for (auto const& [fault, events] :
         {Case{"append:3", 4}, Case{"sync:3", 6}, Case{"sync:1", 2}}) {
        TemporaryDirectory directory;
        CHECK(wait_for(start("child: appends five pairs", directory.path(), fault)) == -SIGKILL);
        auto const opening = open_log(directory.path());
        REQUIRE_MESSAGE(opening.log, opening.why);
        auto const [found, error] = read_all(*opening.log);
        CHECK(error == "");
        CHECK_MESSAGE(found.size() == events, fault);
        CHECK_FALSE(opening.log->rolled_back());
        CHECK(append_simple(*opening.log, 1) == "");
    }
}

#else

TEST_CASE("sync: failed syncs and deaths are only tested in builds with fault points") {
    test_support::skip("this build has no fault points (CPM_FAULT_POINTS)");
}

#endif
