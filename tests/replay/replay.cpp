#include "tests/replay/replay.hpp"

#include "eventstore/codec.hpp"

#include <boost/json/parse.hpp>
#include <rocksdb/db.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>

namespace cpm::test {
namespace {

using eventstore::ColumnFamily;
using eventstore::Database;

std::string quoted(std::string const& word) {
    return "'" + word + "'"; // no path of a test holds a quote
}

Run run(std::string const& command, std::string const& err) {
    auto* const pipe = popen(command.c_str(), "r");
    if (!pipe)
        throw std::runtime_error("popen");
    Run run;
    char buffer[4096];
    while (auto const size = std::fread(buffer, 1, sizeof buffer, pipe))
        run.out.append(buffer, size);
    int const status = pclose(pipe);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    std::ostringstream text;
    text << std::ifstream(err).rdbuf();
    run.err = text.str();
    return run;
}

std::unique_ptr<Database> open_database(std::filesystem::path const& data) {
    auto database = Database::open_writer(data / "log", false, Database::Recovery::Strict);
    if (!database)
        throw std::runtime_error(database.error().detail);
    return std::move(*database);
}

void check(rocksdb::Status const& status) {
    if (!status.ok())
        throw std::runtime_error(status.ToString());
}

std::string text_of(std::filesystem::path const& file) {
    std::ifstream bytes(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(bytes), {}};
}

/// RocksDB's file with these words; each names its family.
std::filesystem::path table_with(std::filesystem::path const& data, std::string_view words) {
    for (auto const& file : std::filesystem::directory_iterator(data / "log"))
        if (file.path().extension() == ".sst" && text_of(file.path()).find(words) != words.npos)
            return file.path();
    throw std::runtime_error("no file has " + std::string(words));
}

} // namespace

std::vector<std::string> Run::lines() const {
    std::vector<std::string> lines;
    std::istringstream text(out);
    for (std::string line; std::getline(text, line);)
        lines.push_back(line);
    return lines;
}

boost::json::value Run::json() const {
    return boost::json::parse(out);
}

std::vector<boost::json::value> Run::ndjson() const {
    std::vector<boost::json::value> values;
    for (auto const& line : lines())
        values.push_back(boost::json::parse(line));
    return values;
}

Run replay(std::string const& arguments, std::string const& before) {
    TemporaryDirectory const scratch;
    auto const err = (scratch.path() / "err").string();
    return run("env " + before + " " CPM_REPLAY " " + arguments + " 2>" + quoted(err), err);
}

Run replay_on_terminal(int columns, std::string const& arguments, std::string const& before) {
    auto const inside = "stty columns " + std::to_string(columns) + " && env TERM=xterm " + before +
                        " " CPM_REPLAY " " + arguments;
    return run("script -qec \"" + inside + "\" /dev/null </dev/null | tr -d '\\r'", "/dev/null");
}

std::unique_ptr<eventstore::RocksDbLog> open_log(std::filesystem::path const& data) {
    auto log = eventstore::RocksDbLog::open({data, false});
    if (!log)
        throw std::runtime_error(log.error().detail);
    return std::move(*log);
}

void append(eventstore::EventLog& log, std::span<core::Event const> events) {
    if (auto const done = log.append(log.head().sequence, events, {}); !done)
        throw std::runtime_error(done.error().detail);
    if (auto const kept = log.keep_witness(); !kept)
        throw std::runtime_error(kept.error().detail);
}

Data::Data(std::vector<core::Event> const& events) {
    append(*open_log(path()), events);
}

void Data::compact(std::vector<Range> const& ranges, std::size_t removed) const {
    auto const log = open_log(path());
    std::vector<core::Event> events;
    for (auto const& [first, last] : ranges) {
        core::HeartbeatsCompacted range{{first}, {last}, last - first + 1, {}, {}};
        core::Event event{};
        auto const read = [&](eventstore::StoredEvent const& stored) {
            event.at = stored.event.at; // in the end the last one's
            if (stored.event.sequence < range.first)
                range.prev_hash = stored.hash;
            if (stored.event.sequence == range.last)
                range.last_hash = stored.hash;
            return true;
        };
        auto const done = log->read({first - 1}, log->head().sequence, read);
        if (!done)
            throw std::runtime_error(done.error().detail);
        event.sequence = event.decision = {log->head().sequence.value + events.size() + 1};
        event.actor = {core::ActorKind::Policy, ""};
        event.payload = range;
        events.push_back(event);
    }
    append(*log, events);
    for (std::size_t i = 0; i < std::min(removed, ranges.size()); ++i)
        if (auto const done = log->remove_compacted(); done != true)
            throw std::runtime_error("the heartbeats cannot be compacted");
}

std::string Data::with(std::string const& arguments) const {
    return "--data-dir " + quoted(path().string()) + " " + arguments;
}

void Data::drop(std::uint64_t sequence) const {
    auto const database = open_database(path());
    auto* const records = database->family(ColumnFamily::Log);
    check(database->db().Delete({}, records, eventstore::key_of(core::Sequence{sequence})));
}

void Data::damage_accounts() const {
    constexpr std::string_view kName = "an-account";
    eventstore::RecordChange const account{eventstore::Table::Accounts, std::string(kName), "x"};
    {
        auto const log = open_log(path());
        if (auto const done = log->append(log->head().sequence, {}, {&account, 1}); !done)
            throw std::runtime_error(done.error().detail);
    }
    open_log(path()); // what a start finds in the write-ahead log goes into a file of its own
    auto const file = table_with(path(), kName);
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(std::streamoff(text_of(file).find(kName)));
    bytes.put('A');
}

void Data::remove_index_file() const {
    open_log(path());
    std::filesystem::remove(table_with(path(), "by-server"));
}

void Data::drop_from_index(std::uint64_t server, std::uint64_t sequence) const {
    auto const database = open_database(path());
    auto* const index = database->family(ColumnFamily::ByServer);
    auto const key = eventstore::key_of(core::ServerId{server}, core::Sequence{sequence});
    check(database->db().Delete({}, index, key));
}

void Data::drop_range(std::uint64_t first) const {
    auto const database = open_database(path());
    auto* const meta = database->family(ColumnFamily::Meta);
    check(database->db().Delete({}, meta, eventstore::range_key_of(core::Sequence{first})));
}

void Data::overwrite(std::uint64_t sequence, std::string const& bytes) const {
    auto const database = open_database(path());
    auto* const records = database->family(ColumnFamily::Log);
    check(database->db().Put({}, records, eventstore::key_of(core::Sequence{sequence}), bytes));
}

void Data::change(std::uint64_t sequence, std::function<void(core::Event&)> const& edit) const {
    std::string bytes;
    {
        auto const database = open_database(path());
        auto* const records = database->family(ColumnFamily::Log);
        auto const key = eventstore::key_of(core::Sequence{sequence});
        check(database->db().Get({}, records, key, &bytes));
    }
    auto record =
        eventstore::decode({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
    if (!record)
        throw std::runtime_error(record.error().detail);
    edit(record->event);
    auto const changed = eventstore::encode(record->event, record->previous);
    if (!changed)
        throw std::runtime_error(changed.error().detail);
    overwrite(sequence, {changed->begin(), changed->end()});
}

std::vector<core::Event> small_history() {
    using enum core::PowerStatus;
    using Heartbeat = core::HeartbeatStatus;
    World world;
    world.add(kNode1, "web-1"); // 1
    world.now = at("09:00:01");
    world.add(kNode2, "東京サーバー"); // 2
    world.now = at("09:00:10");
    world.report(kNode1, Heartbeat::On); // 3, and 4: adopted
    world.now = at("09:00:20");
    world.report(kNode1, Heartbeat::On); // 5
    world.now = at("09:01:00");
    world.ask(kNode1, Off); // 6
    world.now = at("09:01:10");
    world.report(kNode1, Heartbeat::Stopping); // 7
    world.now = at("09:01:40");
    world.lose(kNode1); // 8
    world.now = at("09:02:00");
    world.ask(kNode2, On); // 9
    world.wake(kNode2);    // 10
    world.now = at("09:07:00");
    world.elapse(kNode2); // 11
    return world.events;
}

} // namespace cpm::test
