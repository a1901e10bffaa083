#pragma once

#include "manager/publication.hpp"
#include "tests/fakes/journal.hpp"

namespace cpm::test {

/// Hears what is published and folds it, as everything that people see does.
class RecordingSubscriber final : public manager::Subscriber {
  public:
    explicit RecordingSubscriber(Journal& journal)
        : journal_(journal) {}

    void on_restored(projections::LogFold&& fold) override {
        restored_ = fold.sequence();
        fold_ = std::move(fold);
    }
    void on_history(core::Event const& event) override {
        ++history_;
        hear(event);
    }
    void on_record(eventstore::RecordChange const& record) override { records_.push_back(record); }
    void on_published(std::shared_ptr<manager::Publication const> publication) override {
        journal_.note("published to " + std::to_string(publication->head.sequence.value));
        for (auto const& event : publication->events)
            hear(event);
        for (auto const& change : publication->changes)
            records_.push_back(change);
        head_ = publication->head;
        wake_asks_ = publication->wake_asks;
    }

    core::Fleet const& fleet() const { return fold_.fleet(); }
    projections::LogFold const& fold() const { return fold_; }
    /// The last event of the snapshot that the history began with, or none.
    core::Sequence restored() const { return restored_; }
    std::vector<core::Event> const& events() const { return events_; }
    std::vector<eventstore::RecordChange> const& records() const { return records_; }
    eventstore::Head const& head() const { return head_; }
    manager::WakeAsks const& wake_asks() const { return wake_asks_; } ///< of the last batch
    std::size_t history() const { return history_; } ///< events that were heard as history

  private:
    void hear(core::Event const& event) {
        (void)fold_.apply(event);
        events_.push_back(event);
    }

    Journal& journal_;
    projections::LogFold fold_;
    core::Sequence restored_;
    std::vector<core::Event> events_;
    std::vector<eventstore::RecordChange> records_;
    eventstore::Head head_;
    manager::WakeAsks wake_asks_;
    std::size_t history_ = 0;
};

} // namespace cpm::test
