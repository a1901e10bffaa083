#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "eventstore/event_log.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::eventstore {

// The small text files beside the database: what must be known about the log without trusting it.

/// Why the log counts as rolled back, and the epoch in which that was found.
struct RolledBack {
    std::uint64_t epoch = 0;
    std::string why;
    std::uint64_t witnessed_epoch = 0; ///< the highest of the witnesses
    bool operator==(RolledBack const&) const = default;

    /// Whether it still counts in a log of that epoch: a later one that is above all witnesses has
    /// ended it.
    bool counts_in(std::uint64_t head_epoch) const {
        return head_epoch <= std::max(epoch, witnessed_epoch);
    }
};

/// The paths in a data directory.
struct SideFiles {
    explicit SideFiles(std::filesystem::path const& data);
    std::filesystem::path log; ///< the database's directory
    std::filesystem::path witness;
    std::filesystem::path list; ///< what RocksDB's list of files began with: list_of_files.hpp
    std::filesystem::path unconfirmed;
    std::filesystem::path rolled_back;
};

// Reading: none when there is no such file; Corrupt, naming it, when it cannot be understood.
// Writing is durable.

/// The head witness: the log reached this head, durably, at some time. A log that ends before it
/// has lost records.
core::Result<std::optional<Head>> read_witness(SideFiles const& files);
core::Result<void> write_witness(SideFiles const& files, Head const& head);

core::Result<std::optional<core::Sequence>> read_unconfirmed(SideFiles const& files);
core::Result<void> write_unconfirmed(SideFiles const& files, core::Sequence from);

core::Result<std::optional<RolledBack>> read_rolled_back(SideFiles const& files);
core::Result<void> write_rolled_back(SideFiles const& files, RolledBack const& note);

} // namespace cpm::eventstore
