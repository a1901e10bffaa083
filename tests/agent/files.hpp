#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace cpm::agent::test {

/// A folder of its own, removed with all that is in it.
class Folder {
  public:
    Folder() {
        std::string pattern = "/tmp/cpm-agent-XXXXXX";
        if (!::mkdtemp(pattern.data()))
            throw std::runtime_error("mkdtemp");
        path = pattern;
    }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

    std::filesystem::path path;
};

inline std::string read(std::filesystem::path const& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write(std::filesystem::path const& file, std::string const& content) {
    std::ofstream(file) << content;
}

inline void write_script(std::filesystem::path const& file, std::string const& content) {
    write(file, "#!/bin/sh\n" + content + "\n");
    std::filesystem::permissions(file, std::filesystem::perms(0755));
}

} // namespace cpm::agent::test
