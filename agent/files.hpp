#pragma once

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <string_view>

/// Small files, read and written whole.
namespace cpm::agent {

/// At most 64 KiB; the error names the file and says why.
tl::expected<std::string, std::string> read_file(std::filesystem::path const& file);

enum class Durability { Volatile, Durable };

/// Replaces the file in one step, readable by its owner alone, who is the owner of its folder: root
/// writes for the daemon's user when it joins. Durable: it is on the disk when this returns. The
/// error names the file and says why.
tl::expected<void, std::string>
write_file(std::filesystem::path const& file, std::string_view content, Durability durability);

} // namespace cpm::agent
