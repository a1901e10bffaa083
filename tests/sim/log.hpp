#pragma once

#include "tests/sim/disk.hpp"

#include <functional>

namespace cpm::sim {

/// What the disk does to the writes of one process.
struct DiskMood {
    Time sync{};             ///< how long this one takes
    bool fails = false;      ///< and is reported as failed
    bool fails_kept = false; ///< the records are on the disk nevertheless
};

/// The manager's log over a simulated disk: the contract of RocksDbLog, whose rules it says again,
/// with its bytes.
///
/// Limitations: one thread; reading a server's events goes through all of them.
class Log final : public eventstore::EventLog {
  public:
    struct Surroundings {
        std::function<Time()> now;           ///< the process's time, which a sync moves on
        std::function<DiskMood()> mood;      ///< asked once a write
        std::function<void(Time)> took;      ///< the process stood still so long
        std::function<std::uint64_t()> free; ///< bytes
    };

    struct Private {};
    Log(Private /*only open() makes one*/, Disk& disk, Surroundings const& around)
        : disk_(disk)
        , around_(around) {}

    /// Corrupt when it lost what is witnessed; with `accept` it goes on from what is there.
    static core::Result<std::unique_ptr<Log>>
    open(Disk& disk, Surroundings const& around, bool accept);

    eventstore::Head head() const override { return disk_.head(); }
    core::Result<void> read(
        core::Sequence first, core::Sequence last, eventstore::EventVisitor const& visit
    ) const override;
    core::Result<void> read_back(
        core::Sequence first, core::Sequence last, eventstore::EventVisitor const& visit
    ) const override;
    core::Result<void> read_server(
        core::ServerId server,
        core::Sequence first,
        core::Sequence last,
        eventstore::EventVisitor const& visit
    ) const override;
    core::Result<core::Sequence> compacted_until() const override;
    core::Result<void> read_table(
        eventstore::Table table,
        std::function<void(std::string_view, std::string_view)> const& visit
    ) const override;
    core::Result<void> append(
        core::Sequence after,
        std::span<core::Event const> events,
        std::span<eventstore::RecordChange const> changes
    ) override;
    core::Result<void> keep_witness() override;
    std::optional<core::Sequence> unconfirmed_from() const override {
        return disk_.content().unconfirmed;
    }
    core::Result<void> clear_unconfirmed() override;
    std::optional<std::string> rolled_back() const override;
    core::Result<void> mark_rolled_back(std::string_view why, std::uint64_t epoch) override;
    std::uint64_t witnessed_epoch() const override;
    core::Result<bool> remove_compacted() override;
    /// As if each record took so much, so that a short log grows out of a small retention.
    static constexpr std::uint64_t kRecordBytes = 1024;
    std::uint64_t bytes_from(core::Sequence first) const override;
    std::optional<std::uint64_t> free_bytes() const override { return around_.free(); }
    std::optional<std::uint64_t> total_bytes() const override;

  private:
    core::Result<void> begin(bool accept);
    std::string why_truncated() const;
    Time sync();

    Disk& disk_;
    Surroundings const& around_;
    bool refuses_ = false;
};

} // namespace cpm::sim
