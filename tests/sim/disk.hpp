#pragma once

#include "eventstore/event_log.hpp"
#include "eventstore/record.hpp"
#include "tests/sim/schedule.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cpm::sim {

/// What is on the platters of the manager's disk, and what of it would survive a crash at any
/// moment: the records as the product encodes and chains them, its tables, and the notes beside the
/// log. The rules of opening and of a failed sync are RocksDbLog's, said again.
///
/// Operation: each write is done when its sync is over. A crash before that undoes it, or not: the
/// caller rolls the dice.
class Disk {
  public:
    explicit Disk(core::Hash const& log_id)
        : log_id_(log_id) {}

    struct RolledBack {
        std::uint64_t epoch = 0;
        std::string why;
        std::uint64_t witnessed_epoch = 0;
    };
    using Tables = std::map<std::pair<eventstore::Table, std::string>, std::string>;
    /// All but the records themselves, of which it keeps the number.
    struct Rest {
        std::size_t records = 0;
        std::uint64_t epoch = 1;
        Tables tables;
        std::optional<eventstore::Head> witness;
        std::optional<core::Sequence> unconfirmed;
        std::optional<RolledBack> rolled_back;
    };

    // --- what a log does to it; `done` is when its sync is over

    void append(
        eventstore::NewRecords&& batch, std::span<eventstore::RecordChange const> changes, Time done
    );
    void put_witness(eventstore::Head const& head, Time done);
    void put_unconfirmed(std::optional<core::Sequence> from, Time done);
    void put_rolled_back(std::optional<RolledBack> note, Time done);

    // --- what happens to it

    /// The machine, or the process, ends. What was not done by `now` is undone; of what was under
    /// way at that moment `keeps_first` tells whether its first write is there nevertheless.
    /// Returns how many records were lost.
    std::size_t crash(Time now, bool keeps_first);
    bool has_undone(Time now) const { return !journal_.empty() && journal_.back().done > now; }
    /// A copy of the data directory.
    Rest copy() const { return rest_of(); }
    void put_back(Rest const& copy);
    /// Of the last batches so many are gone, and nothing else: a disk that lied about its syncs.
    /// Returns how many records that were.
    std::size_t cut_short(std::size_t batches);

    // --- what it holds

    eventstore::Head head() const;
    std::size_t size() const { return records_.size(); }
    core::Hash const& log_id() const { return log_id_; }
    core::Hash const& hash_of(core::Sequence sequence) const {
        return records_[sequence.value - 1].hash;
    }
    core::Result<eventstore::StoredEvent> stored(core::Sequence sequence) const;
    Rest const& rest() const { return rest_; }
    void raise_epoch(std::uint64_t epoch) { rest_.epoch = epoch; }

  private:
    struct Record {
        std::uint8_t const* bytes = nullptr;
        std::uint32_t size = 0;
        core::Hash hash{};
    };
    struct OldRecords {
        std::size_t count = 0;
        std::uint64_t epoch = 1;
        std::vector<std::pair<Tables::key_type, std::optional<std::string>>> values;
        std::optional<RolledBack> rolled_back;
    };
    struct OldWitness {
        std::optional<eventstore::Head> head;
    };
    struct OldUnconfirmed {
        std::optional<core::Sequence> from;
    };
    struct OldRolledBack {
        std::optional<RolledBack> note;
    };
    /// How to undo one write.
    struct Undo {
        Time done{};
        std::variant<OldRecords, OldWitness, OldUnconfirmed, OldRolledBack> old;
    };

    Rest rest_of() const;
    void note(Time done, decltype(Undo::old) old);
    void undo(Undo& write);
    std::uint8_t const* keep(std::span<std::uint8_t const> bytes);
    void shrink(std::size_t count);

    core::Hash log_id_;
    Rest rest_;
    std::vector<Record> records_;
    std::deque<std::vector<std::uint8_t>> blocks_;
    std::deque<Undo> journal_; ///< oldest first
};

} // namespace cpm::sim
