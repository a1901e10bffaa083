#pragma once

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <string_view>

/// Small files, read and written whole.
namespace cpm::agent {

/// At most 64 KiB; the error names the file and says why.
tl::expected<std::string, std::string> read_file(std::filesystem::path const& file);

/// The same, of a file that may say what root's power does: what was opened must belong to root and
/// be writable by root alone, else that is the error.
tl::expected<std::string, std::string> read_root_file(std::filesystem::path const& file);

/// The same question of a program or folder, without reading it; a link counts as what it leads to.
tl::expected<void, std::string> check_root_owns(std::filesystem::path const& path);

enum class Durability { Volatile, Durable };

/// Replaces the file in one step, readable by its owner alone, who is the owner of its folder: root
/// writes for the daemon's user when it joins. Durable: it, and that it has this name, is on the
/// disk when this returns. What was there before stays whole until then. The error names the file
/// and says why.
tl::expected<void, std::string>
write_file(std::filesystem::path const& file, std::string_view content, Durability durability);

} // namespace cpm::agent
