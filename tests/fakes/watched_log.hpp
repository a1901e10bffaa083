#pragma once

#include "eventstore/event_log.hpp"
#include "tests/fakes/journal.hpp"

#include <functional>
#include <optional>

namespace cpm::test {

/// A log whose disk the test holds: it notes each append once it is durable, says how much space is
/// free, and fails when told to. All else is the log behind it, which must outlive it.
class WatchedLog final : public eventstore::EventLog {
  public:
    WatchedLog(eventstore::EventLog& log, Journal& journal)
        : log_(log)
        , journal_(journal) {}

    std::optional<std::uint64_t> free;  ///< bytes; none: as the log behind says
    std::optional<std::uint64_t> total; ///< bytes; none: as the log behind says
    bool append_fails = false;
    bool witness_fails = false;
    bool clearing_fails = false;
    std::optional<core::Sequence> damaged; ///< the record that cannot be read
    std::function<void()> during_append;   ///< what happens while the disk is at work

    core::Result<void> append(
        core::Sequence after,
        std::span<core::Event const> events,
        std::span<eventstore::RecordChange const> changes
    ) override {
        if (during_append)
            during_append();
        if (append_fails)
            return core::fail(core::ErrorCode::Storage, "the sync failed, as the test wants");
        auto done = log_.append(after, events, changes);
        if (done)
            journal_.note("durable to " + std::to_string(log_.head().sequence.value));
        return done;
    }
    core::Result<void> keep_witness() override {
        if (witness_fails)
            return core::fail(core::ErrorCode::Storage, "the witness cannot be written");
        journal_.note("witness of " + std::to_string(log_.head().sequence.value));
        return log_.keep_witness();
    }
    core::Result<void> clear_unconfirmed() override {
        if (clearing_fails)
            return core::fail(core::ErrorCode::Storage, "the note cannot be removed");
        return log_.clear_unconfirmed();
    }
    core::Result<bool> remove_compacted() override { return log_.remove_compacted(); }
    std::uint64_t bytes_from(core::Sequence first) const override { return log_.bytes_from(first); }
    std::optional<std::uint64_t> free_bytes() const override {
        return free ? free : log_.free_bytes();
    }
    std::optional<std::uint64_t> total_bytes() const override {
        return total ? total : log_.total_bytes();
    }

    eventstore::Head head() const override { return log_.head(); }
    core::Result<void> read(
        core::Sequence first, core::Sequence last, eventstore::EventVisitor const& visit
    ) const override {
        if (!damaged || *damaged < first || *damaged > last)
            return log_.read(first, last, visit);
        bool goes_on = true;
        auto const before = [&](eventstore::StoredEvent const& stored) {
            return goes_on = visit(stored);
        };
        if (auto read = log_.read(first, {damaged->value - 1}, before); !read || !goes_on)
            return read;
        return core::fail(
            core::ErrorCode::Corrupt, "event " + std::to_string(damaged->value) + ": is damaged"
        );
    }
    core::Result<void> read_back(
        core::Sequence first, core::Sequence last, eventstore::EventVisitor const& visit
    ) const override {
        return log_.read_back(first, last, visit);
    }
    core::Result<void> read_server(
        core::ServerId server,
        core::Sequence first,
        core::Sequence last,
        eventstore::EventVisitor const& visit
    ) const override {
        return log_.read_server(server, first, last, visit);
    }
    core::Result<core::Sequence> compacted_until() const override { return log_.compacted_until(); }
    core::Result<void> read_table(
        eventstore::Table table,
        std::function<void(std::string_view, std::string_view)> const& visit
    ) const override {
        return log_.read_table(table, visit);
    }
    std::optional<core::Sequence> unconfirmed_from() const override {
        return log_.unconfirmed_from();
    }
    std::optional<std::string> rolled_back() const override { return log_.rolled_back(); }
    core::Result<void> mark_rolled_back(std::string_view why, std::uint64_t epoch) override {
        return log_.mark_rolled_back(why, epoch);
    }
    std::uint64_t witnessed_epoch() const override { return log_.witnessed_epoch(); }

  private:
    eventstore::EventLog& log_;
    Journal& journal_;
};

} // namespace cpm::test
