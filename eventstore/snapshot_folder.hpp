#pragma once

#include "core/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::eventstore {

/// Files by their names: what a SnapshotStore needs of a disk.
///
/// Concurrency: as SnapshotStore's.
class SnapshotFolder {
  public:
    virtual ~SnapshotFolder() = default;

    /// A folder that is missing or cannot be read has none. In any order.
    virtual std::vector<std::string> names() const = 0;

    /// Storage: it cannot be opened, or read to its end.
    virtual core::Result<std::string> read(std::string const& name) const = 0;

    /// The whole file, in the place of one of that name. Without a sync: a power cut may leave
    /// anything of it. Storage, naming the file: nothing of it is there then.
    virtual core::Result<void> write(std::string const& name, std::string_view bytes) = 0;

    /// As well as it can: whatever stays is looked at again by whoever reads it.
    virtual void remove(std::string const& name) = 0;
    virtual void remove_all() = 0;
};

/// DATA/snapshots. Made, for its owner alone, when the first file is written.
class DiskFolder final : public SnapshotFolder {
  public:
    explicit DiskFolder(std::filesystem::path path)
        : path_(std::move(path)) {}

    std::vector<std::string> names() const override;
    core::Result<std::string> read(std::string const& name) const override;
    core::Result<void> write(std::string const& name, std::string_view bytes) override;
    void remove(std::string const& name) override;
    void remove_all() override;

  private:
    std::filesystem::path const path_;
};

} // namespace cpm::eventstore
