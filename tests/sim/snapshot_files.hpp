#pragma once

#include "eventstore/snapshot_folder.hpp"
#include "tests/sim/disk.hpp"

namespace cpm::sim {

/// DATA/snapshots on a simulated disk.
class SnapshotFiles final : public eventstore::SnapshotFolder {
  public:
    explicit SnapshotFiles(Disk& disk)
        : files_(disk.snapshots()) {}

    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (auto const& [name, bytes] : files_)
            all.push_back(name);
        return all;
    }
    core::Result<std::string> read(std::string const& name) const override {
        auto const file = files_.find(name);
        if (file == files_.end())
            return core::fail(core::ErrorCode::Storage, "cannot be opened");
        return file->second;
    }
    core::Result<void> write(std::string const& name, std::string_view bytes) override {
        files_[name] = bytes;
        return {};
    }
    void remove(std::string const& name) override { files_.erase(name); }
    void remove_all() override { files_.clear(); }

  private:
    Disk::Files& files_;
};

} // namespace cpm::sim
