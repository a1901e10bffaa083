#pragma once

#include "core/result.hpp"

#include <filesystem>

namespace cpm::eventstore {

// Whole files and directories, copied so that they are on disk when the call returns. Failures are
// Storage and name the file.

/// Copies one file with its permissions; what is there is replaced. What is appended to the source
/// meanwhile may be missing. NotFound when there is no such file.
core::Result<void>
copy_file_durably(std::filesystem::path const& from, std::filesystem::path const& to);

/// Copies the regular files of a directory (none below it) into a new one, with its permissions.
core::Result<void>
copy_directory_durably(std::filesystem::path const& from, std::filesystem::path const& to);

/// Puts the names in a directory on disk.
core::Result<void> sync_directory(std::filesystem::path const& directory);

} // namespace cpm::eventstore
