// cpm-replay verify: whether the log is whole, unchanged, and says what the code says.
#include "core/hex.hpp"
#include "eventstore/codec.hpp"
#include "eventstore/hash.hpp"
#include "eventstore/record.hpp"
#include "eventstore/side_files.hpp"
#include "projections/json_parts.hpp"
#include "tools/cpm-replay/beside_check.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/index_entries.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/progress.hpp"
#include "tools/cpm-replay/range_check.hpp"
#include "tools/cpm-replay/snapshot_check.hpp"
#include "tools/cpm-replay/status_check.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <vector>

namespace cpm::replay {
namespace {

using eventstore::Head;
using eventstore::StoredEvent;

/// The next record carries another hash of this one.
Fault broken_link(core::Sequence sequence) {
    return {
        Check::Chain,
        sequence,
        sequence,
        fmt::format(
            "event {} carries another hash of it: it was changed, or others were put in their "
            "place",
            sequence.next().value
        ),
    };
}

/// What was compacted away followed another record than the one that is there.
Fault broken_range(core::Sequence first) {
    return {
        Check::Chain,
        first,
        first,
        "what was compacted away from here on followed another record than the one before: it was "
        "changed, or others were dropped",
    };
}

/// Checks records, chain and statuses as it reads, and then the witness.
class Verification {
  public:
    /// `witness`: the head the log once reached, if that is known.
    Verification(
        eventstore::RocksDbReader const& log,
        std::optional<Head> const& witness,
        SnapshotCheck& snapshots
    )
        : log_(log)
        , head_(log.head())
        , witness_(witness)
        , snapshots_(snapshots)
        , progress_({1}, head_.sequence, true)
        , statuses_([this](Fault const& fault) { faults_.push_back(fault); })
        , ranges_(log, [this](Fault const& fault) { faults_.push_back(fault); }) {}

    /// Fails with Storage only.
    core::Result<void> read_all();
    void check_witness();
    /// Fails with Storage only.
    core::Result<void> check_index();
    void add(Fault fault) { faults_.push_back(std::move(fault)); }

    Head const& head() const { return head_; }
    std::vector<Fault> const& faults() const { return faults_; }
    std::uint64_t records() const { return records_; }
    std::uint64_t compacted() const { return ranges_.removed(); }
    StatusCheck const& statuses() const { return statuses_; }
    SnapshotCheck const& snapshots() const { return snapshots_; }

  private:
    core::Result<bool> read_one(core::Sequence sequence);
    core::Result<void> step_over_range();
    void take(StoredEvent const& stored);
    void lose(core::Sequence sequence, std::string const& why);

    eventstore::RocksDbReader const& log_;
    Head const head_;
    std::optional<Head> const witness_;
    SnapshotCheck& snapshots_;
    std::optional<core::Hash> witnessed_; ///< what the log has where the witness says
    Progress progress_;
    std::vector<Fault> faults_;
    StatusCheck statuses_;
    RangeCheck ranges_;
    core::Result<void> ranges_read_;
    core::Sequence next_{1};
    std::optional<core::Hash> previous_; ///< of the record before next_; none: unknown
    std::uint64_t records_ = 0;
    IndexEntries entries_; ///< what the index must list
};

core::Result<void> Verification::read_all() {
    while (next_ <= head_.sequence && !stop_requested()) {
        auto const done = log_.read(next_, head_.sequence, [&](StoredEvent const& stored) {
            take(stored);
            return !stop_requested();
        });
        if (done)
            break;
        if (done.error().code != core::ErrorCode::Corrupt)
            return done;
        core::Result<bool> one = false; // many may be lost in a row
        while (one && !*one && next_ <= head_.sequence && !stop_requested())
            one = read_one(next_);
        if (!one)
            return tl::make_unexpected(one.error());
    }
    statuses_.end();
    snapshots_.end(log_);
    progress_.hide();
    return ranges_read_ && !stop_requested() ? ranges_.end() : ranges_read_;
}

/// The record at which reading in order ended: it is missing, cannot be read, or does not follow.
/// False: it is lost.
core::Result<bool> Verification::read_one(core::Sequence sequence) {
    bool is_there = false;
    auto const done = log_.read_back(sequence, sequence, [&](StoredEvent const& stored) {
        auto const decoded = eventstore::decode(stored.bytes);
        if (sequence.value == 1)
            add({Check::Chain, sequence, sequence, "it does not begin with this log's id"});
        else if (decoded && previous_ && decoded->previous != *previous_)
            add(broken_link({sequence.value - 1}));
        is_there = true;
        take(stored);
        return true;
    });
    if (!done && done.error().code != core::ErrorCode::Corrupt)
        return tl::make_unexpected(done.error());
    if (!done)
        lose(sequence, done.error().detail);
    else if (!is_there)
        if (auto const stepped = step_over_range(); !stepped)
            return tl::make_unexpected(stepped.error());
    return done.has_value();
}

/// Reading in order ended where records were compacted away: before them or behind them something
/// is not as it was.
core::Result<void> Verification::step_over_range() {
    auto const range = log_.range_of(next_);
    if (!range)
        return tl::make_unexpected(range.error());
    if (!*range) // it went away meanwhile: read again
        return {};
    if (previous_ && (*range)->first == next_ && (*range)->prev_hash != *previous_)
        add(broken_range(next_));
    ranges_.gap(next_, (*range)->last);
    previous_ = (*range)->last_hash;
    next_ = (*range)->last.next();
    return {};
}

void Verification::take(StoredEvent const& stored) {
    progress_.reached(stored.event.sequence);
    if (stored.event.sequence != next_)
        ranges_.gap(next_, {stored.event.sequence.value - 1});
    if (ranges_read_)
        ranges_read_ = ranges_.add(stored.event);
    ++records_;
    statuses_.add(stored.event);
    snapshots_.add(stored);
    if (stored.event.server)
        entries_.add(stored.event.server, stored.event.sequence);
    if (eventstore::concerns(stored.event, {}))
        entries_.add({}, stored.event.sequence);
    if (witness_ && witness_->sequence == stored.event.sequence)
        witnessed_ = stored.hash;
    previous_ = stored.hash;
    next_ = stored.event.sequence.next();
}

void Verification::lose(core::Sequence sequence, std::string const& why) {
    statuses_.lost(sequence);
    snapshots_.lost();
    previous_.reset();
    next_ = sequence.next();
    auto const prefix = fmt::format("event {}: ", sequence.value);
    auto const text = why.starts_with(prefix) ? why.substr(prefix.size()) : why;
    bool const goes_on = !faults_.empty() && faults_.back().check == Check::Record &&
                         faults_.back().last.next() == sequence && faults_.back().text == text;
    if (goes_on)
        faults_.back().last = sequence;
    else
        add({Check::Record, sequence, sequence, text});
}

void Verification::check_witness() {
    if (!witness_)
        return;
    auto const sequence = witness_->sequence;
    auto const tell = [&](std::string text) {
        add({Check::Witness, sequence, sequence, std::move(text)});
    };
    if (sequence > head_.sequence)
        return tell(fmt::format(
            "the log had reached this event, and now ends at event {}", head_.sequence.value
        ));
    if (witness_->epoch > head_.epoch)
        tell(fmt::format(
            "the log had reached epoch {}, and is of epoch {}", witness_->epoch, head_.epoch
        ));
    // A lost event was reported already; an empty log's hash is its id.
    auto const found = sequence ? witnessed_ : std::optional(head_.hash);
    bool const can_tell = sequence || !head_.sequence;
    if (can_tell && found && *found != witness_->hash)
        tell("the head witness has another hash of it: it was changed, or the log was replaced");
}

core::Result<void> Verification::check_index() {
    // To which server a lost record belonged, nobody knows.
    bool const is_known = records_ + ranges_.removed() == head_.sequence.value;
    if (!is_known || stop_requested())
        return {};
    IndexEntries listed;
    auto const read = log_.read_index([&](core::ServerId server, core::Sequence sequence) {
        if (sequence <= head_.sequence)
            listed.add(server, sequence);
    });
    if (!read && read.error().code != core::ErrorCode::Corrupt)
        return read;
    if (!read)
        add({Check::Index, {}, {}, read.error().detail});
    else if (listed != entries_)
        add(
            {Check::Index,
             {},
             {},
             fmt::format(
                 "it has {} entries, and {} follow from the events, or they are others: what is "
                 "shown of one server may not be all",
                 listed.count(),
                 entries_.count()
             )}
        );
    return {};
}

boost::json::object to_json(Head const& head) {
    return {
        {"epoch", head.epoch},
        {"sequence", head.sequence.value},
        {"hash", core::to_hex(head.hash)},
    };
}

boost::json::object to_json(Fault const& fault) {
    return {
        {"check", to_string(fault.check)},
        {"first", projections::to_json(fault.first)},
        {"last", projections::to_json(fault.last)},
        {"text", fault.text},
    };
}

boost::json::object summary(Verification const& done) {
    return {
        {"clean", done.faults().empty()},
        {"events", done.records()},
        {"compacted", done.compacted()},
        {"decisions", done.statuses().decisions()},
        {"servers", done.statuses().fleet().servers.size()},
        {"snapshots", done.snapshots().confirmed()},
        {"head", to_json(done.head())},
    };
}

void print_json(Verification const& done, Output output) {
    JsonRows rows(output);
    boost::json::array faults;
    for (auto const& fault : done.faults())
        if (output == Output::Ndjson)
            rows.row(to_json(fault));
        else
            faults.push_back(to_json(fault));
    auto result = summary(done);
    if (output == Output::Json)
        result["faults"] = std::move(faults);
    write(boost::json::serialize(result) + '\n');
}

void print_lines(Verification const& done, Screen screen) {
    Table table({"EVENT", "CHECK", "FAULT"}, screen);
    for (auto const& fault : done.faults()) {
        auto const first = fault.first ? std::to_string(fault.first.value) : "-";
        auto const last = fmt::format("-{}", fault.last.value);
        table.row({
            {first + (fault.last == fault.first ? "" : last)},
            {std::string(to_string(fault.check)), Tone::Bad},
            {fault.text},
        });
    }
    if (!done.faults().empty())
        table.flush();
    auto const& head = done.head();
    auto const snapshots = done.snapshots().confirmed();
    auto const counts = fmt::format(
        "{}{}, {}, {}{}; epoch {}, head {} {}",
        counted(done.records(), "event"),
        done.compacted() == 0 ? ""
                              : fmt::format(" and {} heartbeats compacted away", done.compacted()),
        counted(done.statuses().decisions(), "decision"),
        counted(done.statuses().fleet().servers.size(), "server"),
        snapshots == 0 ? "" : ", " + counted(snapshots, "snapshot"),
        head.epoch,
        head.sequence.value,
        core::to_hex(head.hash)
    );
    auto const count = done.faults().size();
    write((count == 0 ? "clean" : counted(count, "fault")) + ": " + counts + '\n');
}

FaultSink into(std::vector<Fault>& faults) {
    return [&faults](Fault const& fault) { faults.push_back(fault); };
}

} // namespace

Outcome verify(eventstore::RocksDbReader& log, Options const& options) {
    // The witness and the snapshots before the log: a running manager has always appended what they
    // name.
    eventstore::SideFiles const files(options.data_dir);
    std::vector<Fault> beside;
    auto const witness = check_witness_files(files, into(beside));
    std::vector<Fault> of_snapshots;
    SnapshotCheck snapshots(options.data_dir, into(of_snapshots));
    if (auto const refreshed = log.refresh(); !refreshed)
        return tl::make_unexpected(refreshed.error());

    Verification verification(log, witness, snapshots);
    check_rollback(files, log.head(), into(beside));
    for (auto& fault : beside)
        verification.add(std::move(fault));
    std::vector<Fault> of_tables;
    auto done = verification.read_all();
    if (done)
        done = verification.check_index();
    if (done)
        done = check_tables(options.data_dir, into(of_tables));
    if (stop_requested())
        return kFine;
    verification.check_witness();
    for (auto* later : {&of_tables, &of_snapshots})
        for (auto& fault : *later)
            verification.add(std::move(fault));
    if (options.output == Output::Table)
        print_lines(verification, standard_output(options.no_color));
    else
        print_json(verification, options.output);
    if (!done)
        return tl::make_unexpected(done.error());
    return verification.faults().empty() ? kFine : kFinding;
}

} // namespace cpm::replay
