#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>

/// A disk that forgets: knows of all files below a directory what was synced, and at one moment
/// leaves them elsewhere as a power cut would.
///
/// Operation: between syncs of this process it does nothing. A synced file counts as far as it was
/// written when the sync began; a synced directory counts with the names it had. What is there at
/// the beginning is synced. Nothing reaches a real disk: this is for a process that lives on.
///
/// Limitations: files are only appended to, or written anew and renamed, as RocksDB and the files
/// beside it are; a byte that is changed in place would count as synced. Names that were not synced
/// are kept or dropped together: file systems write them in order, and RocksDB relies on that.
class PowerCut {
  public:
    enum class Rest {
        Dropped, ///< what was not synced is gone
        Torn,    ///< of what was not synced chance keeps a part: ends of files; all names, or none
    };

    /// Without RocksDB's own messages.
    struct Lost {
        std::uint64_t bytes = 0;
        std::uint64_t names = 0; ///< missing, or those of an older file
    };

    PowerCut(std::filesystem::path root, std::uint64_t seed);
    PowerCut(PowerCut const&) = delete;
    PowerCut& operator=(PowerCut const&) = delete;
    ~PowerCut();

    /// The power goes at that moment: 2n is before the n-th sync (from 0), 2n + 1 after it.
    /// `before` is called first, then `image` is made.
    void
    at(std::uint64_t moment, Rest rest, std::filesystem::path image, std::function<void()> before);

    /// The same now, unless it happened.
    void now();

    std::uint64_t moments() const { return moment_; }
    Lost const& lost() const { return lost_; }

  private:
    struct File {
        int fd = -1; ///< holds it, also when it was deleted
        std::uint64_t synced = 0;
    };
    using Inode = std::uint64_t;
    using Names = std::map<std::string, Inode>; ///< 0: a directory

    void sync(int fd);
    void pass_moment();
    void happen();
    void learn(std::filesystem::path const& directory);
    Names names_of(std::filesystem::path const& directory);
    File& hold(std::filesystem::path const& path, Inode inode);
    void leave(std::filesystem::path const& directory, std::filesystem::path const& image);
    void leave_file(File const& file, std::filesystem::path const& image);
    std::uint64_t below(std::uint64_t bound) { return bound ? random_() % bound : 0; }

    std::filesystem::path const root_;
    std::mt19937_64 random_;
    std::recursive_mutex mutex_;
    std::map<Inode, File> files_;
    std::map<std::filesystem::path, Names> directories_; ///< as they were synced
    std::uint64_t moment_ = 0;
    std::uint64_t cut_at_ = ~0ull;
    bool has_happened_ = false;
    Rest rest_ = Rest::Dropped;
    bool keeps_names_ = false;
    std::filesystem::path image_;
    std::function<void()> before_;
    Lost lost_;
};
