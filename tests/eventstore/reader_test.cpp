// The reader of cpm-replay (event log 2.4): it follows a running manager and never changes the log.
#include "eventstore/rocksdb_reader.hpp"
#include "tests/eventstore/events.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <thread>

using namespace cpm::core;
using namespace cpm::eventstore;
namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> content_of(fs::path const& directory) {
    std::map<std::string, std::string> files;
    for (auto const& entry : fs::recursive_directory_iterator(directory))
        if (entry.is_regular_file())
            files[entry.path().string()] =
                file_text(entry.path()) +
                std::to_string(entry.last_write_time().time_since_epoch().count());
    return files;
}

/// Where temporary directories go while it lives: nobody else's are there.
class OwnTemporaryPlace {
  public:
    OwnTemporaryPlace() {
        if (char const* usual = std::getenv("TMPDIR"))
            usual_ = usual;
        ::setenv("TMPDIR", place_.path().c_str(), 1);
    }
    OwnTemporaryPlace(OwnTemporaryPlace const&) = delete;
    OwnTemporaryPlace& operator=(OwnTemporaryPlace const&) = delete;
    ~OwnTemporaryPlace() {
        if (usual_)
            ::setenv("TMPDIR", usual_->c_str(), 1);
        else
            ::unsetenv("TMPDIR");
    }

    std::ptrdiff_t directories() const {
        return std::distance(fs::directory_iterator(place_.path()), fs::directory_iterator());
    }

  private:
    TemporaryDirectory place_;
    std::optional<std::string> usual_;
};

} // namespace

TEST_CASE("reader: a directory without a log is said to have none (2.4)") {
    TemporaryDirectory directory;
    auto const reader = RocksDbReader::open(directory.path());
    REQUIRE_FALSE(reader);
    CHECK(reader.error().code == ErrorCode::NotFound);
    CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("reader: it sees a running writer's events after a refresh, the same bytes (2.4)") {
    TemporaryDirectory directory;
    auto const writer = open_log(directory.path());
    auto const reader = RocksDbReader::open(directory.path()).value();
    CHECK(reader->head() == writer.log->head());
    REQUIRE(append_simple(*writer.log, 5) == "");
    CHECK(reader->head().sequence == Sequence{0});
    CHECK(read_all(*reader).first.empty());
    REQUIRE(reader->refresh());
    CHECK(reader->head() == writer.log->head());
    CHECK(read_all(*reader) == read_all(*writer.log));
    CHECK(read_all(*reader).first.size() == 5);
    std::size_t seen = 0;
    REQUIRE(reader->read_server({1}, {1}, {9}, [&](StoredEvent const&) { return ++seen > 0; }));
    CHECK(seen == 2);
    REQUIRE(reader->read_back({1}, {9}, [&](StoredEvent const&) { return ++seen > 0; }));
    CHECK(seen == 7);
}

TEST_CASE("reader: it reads a closed log and changes nothing in it (2.4)") {
    TemporaryDirectory directory;
    make_log(directory.path(), 20);
    auto const before = content_of(directory.path());
    OwnTemporaryPlace const temporary;
    {
        auto const reader = RocksDbReader::open(directory.path()).value();
        CHECK(read_all(*reader).first.size() == 20);
        CHECK(temporary.directories() == 1);
        REQUIRE(reader->refresh());
    }
    CHECK(content_of(directory.path()) == before);
    CHECK(temporary.directories() == 0);
    auto const again = open_log(directory.path());
    CHECK(again.log->head().sequence == Sequence{20});
}

TEST_CASE("reader: a log that does not start can still be looked at (2.4)") {
    TemporaryDirectory directory;
    make_log(directory.path(), 6);
    raw_put(directory.path(), 6, std::nullopt);
    raw_put(directory.path(), 3, "rubbish");
    REQUIRE_FALSE(open_log(directory.path()).log);
    auto const reader = RocksDbReader::open(directory.path()).value();
    CHECK(reader->head().sequence == Sequence{5});
    auto const [events, error] = read_all(*reader);
    CHECK(events.size() == 2);
    CHECK(error == "event 3: it is no record of this log's schema");
}

TEST_CASE("reader: it never sees a gap while the writer moves records to table files (2.4)") {
    TemporaryDirectory directory;
    auto const writer = open_log(directory.path());
    REQUIRE(writer.log);
    std::atomic<bool> stop = false;
    // Large events, so that the write buffer (16 MiB) is flushed several times.
    std::thread thread([&] {
        for (std::uint64_t n = 0; n < 1500 && !stop; n += 50) {
            std::vector<Event> events;
            for (std::uint64_t i = 1; i <= 50; ++i) {
                events.push_back(simple_event(n + i, 1));
                events.back().payload = ManagerStarted{std::string(50'000, char('a' + n % 26))};
            }
            if (!writer.log->append({n}, events, {}))
                break;
        }
        stop = true;
    });
    auto const reader = RocksDbReader::open(directory.path()).value();
    std::uint64_t seen = 0;
    std::string why;
    for (bool last = false; why.empty() && !last;) {
        last = stop;
        if (auto const refreshed = reader->refresh(); !refreshed)
            why = refreshed.error().detail;
        auto const read = reader->read({seen + 1}, {~0ull}, [&](StoredEvent const& stored) {
            seen = stored.event.sequence.value;
            return true;
        });
        if (!read)
            why = read.error().detail;
    }
    stop = true;
    thread.join();
    CHECK(why == "");
    CHECK(seen == 1500);
    std::size_t tables = 0;
    for (auto const& entry : fs::directory_iterator(directory.path() / "log"))
        if (entry.path().extension() == ".sst")
            ++tables;
    CHECK(tables > 1); // or nothing moved, and this case showed nothing
}
