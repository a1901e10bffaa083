#pragma once

#include "eventstore/compacted_ranges.hpp"
#include "eventstore/event_log.hpp"

#include <map>
#include <mutex>
#include <vector>

namespace cpm::eventstore {

/// The log in memory, under the same contract tests as the one on disk: for replays of imported
/// events, what-if and tests of the layers above. Nothing survives it.
class MemoryLog final : public EventLog {
  public:
    MemoryLog();

    Head head() const override;
    core::Result<void>
    read(core::Sequence first, core::Sequence last, EventVisitor const& visit) const override;
    core::Result<void>
    read_back(core::Sequence first, core::Sequence last, EventVisitor const& visit) const override;
    core::Result<void> read_server(
        core::ServerId server, core::Sequence first, core::Sequence last, EventVisitor const& visit
    ) const override;
    core::Result<core::Sequence> compacted_until() const override;
    core::Result<void> read_table(
        Table table, std::function<void(std::string_view, std::string_view)> const& visit
    ) const override;

    core::Result<void> append(
        core::Sequence after,
        std::span<core::Event const> events,
        std::span<RecordChange const> changes
    ) override;
    core::Result<void> keep_witness() override;
    std::optional<core::Sequence> unconfirmed_from() const override;
    core::Result<void> clear_unconfirmed() override;
    std::optional<std::string> rolled_back() const override;
    core::Result<void> mark_rolled_back(std::string_view why, std::uint64_t epoch) override;
    std::uint64_t witnessed_epoch() const override;
    core::Result<bool> remove_compacted() override;
    std::uint64_t bytes_from(core::Sequence first) const override;
    std::optional<std::uint64_t> free_bytes() const override;
    std::optional<std::uint64_t> total_bytes() const override;

  private:
    core::Result<StoredEvent> stored(core::Sequence sequence) const;
    /// The range whose records were deleted that holds this number.
    std::optional<core::HeartbeatsCompacted> removed_range(core::Sequence sequence) const;

    mutable std::mutex mutex_;
    core::Hash log_id_{}; ///< what the first record follows
    std::vector<std::vector<std::uint8_t>> records_;
    std::vector<core::Hash> hashes_;
    CompactedRanges ranges_;
    core::Sequence removed_until_; ///< their memory is not given back
    std::uint64_t epoch_ = 1;
    std::map<std::pair<Table, std::string>, std::string> tables_;
    std::optional<std::string> rolled_back_;
    std::uint64_t witnessed_epoch_ = 0;
};

} // namespace cpm::eventstore
