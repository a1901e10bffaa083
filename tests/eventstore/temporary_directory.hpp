#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

/// Where files are only memory, for what makes very many of them; else the usual place.
inline std::filesystem::path fast_place() {
    std::error_code error;
    auto const memory = std::filesystem::space("/dev/shm", error);
    bool const is_large = !error && memory.available > 512 << 20;
    return is_large ? "/dev/shm" : std::filesystem::temp_directory_path();
}

/// A fresh directory, removed with all that is in it.
class TemporaryDirectory {
  public:
    explicit TemporaryDirectory(
        std::filesystem::path const& parent = std::filesystem::temp_directory_path()
    ) {
        auto pattern = (parent / "cpm-test-XXXXXX").string();
        if (!::mkdtemp(pattern.data()))
            throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    TemporaryDirectory(TemporaryDirectory const&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::filesystem::path const& path() const { return path_; }

  private:
    std::filesystem::path path_;
};
