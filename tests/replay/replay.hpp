// cpm-replay as people run it, on logs that were written the way the manager writes them.
#pragma once

#include "eventstore/rocksdb_log.hpp"
#include "tests/eventstore/temporary_directory.hpp"
#include "tests/projections/world.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cpm::test {

/// What a run of the program left behind.
struct Run {
    int status = -1; ///< its exit status
    std::string out;
    std::string err;

    std::vector<std::string> lines() const;
    /// Of a document, and of a document a line. Throw when it is none.
    boost::json::value json() const;
    std::vector<boost::json::value> ndjson() const;
};

/// Runs cpm-replay with these arguments, in words for a shell; `before`: "NAME=value" words.
Run replay(std::string const& arguments, std::string const& before = "");
/// The same on a terminal of so many columns; `out` is what it shows, `err` is in it.
Run replay_on_terminal(int columns, std::string const& arguments, std::string const& before = "");

/// Opens a log as the manager does; throws.
std::unique_ptr<eventstore::RocksDbLog> open_log(std::filesystem::path const& data);
/// Appends them as one batch; throws.
void append(eventstore::EventLog& log, std::span<core::Event const> events);

/// A data directory whose log holds exactly these events, with its witness at the end.
class Data {
  public:
    explicit Data(std::vector<core::Event> const& events);

    std::filesystem::path path() const { return directory_.path(); }
    /// Numbers, from the first to the last.
    using Range = std::pair<std::uint64_t, std::uint64_t>;
    /// As a manager compacts: an event names each range, and the records of the first `deleted` of
    /// them go. Throws.
    void compact(std::vector<Range> const& ranges, std::size_t removed = 99) const;

    /// "--data-dir … ARGUMENTS"
    std::string with(std::string const& arguments) const;

    // Damage, by the hand of somebody who opens the database.
    void drop(std::uint64_t sequence) const;
    void overwrite(std::uint64_t sequence, std::string const& bytes) const;
    /// An account, and a flipped bit in the file that holds it.
    void damage_accounts() const;
    /// The file that holds the index by server.
    void remove_index_file() const;
    /// An entry of the index.
    void drop_from_index(std::uint64_t server, std::uint64_t sequence) const;
    /// An entry of the index of what was compacted away.
    void drop_range(std::uint64_t first) const;
    /// The record as it was but for its event; the chain in it stays.
    void change(std::uint64_t sequence, std::function<void(core::Event&)> const& edit) const;

  private:
    TemporaryDirectory directory_;
};

/// Two servers, "web-1" and "東京サーバー", and eleven events (see its source).
std::vector<core::Event> small_history();

} // namespace cpm::test
