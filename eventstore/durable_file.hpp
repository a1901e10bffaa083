#pragma once

#include "core/result.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::eventstore {

// Small files beside the log that must be whole and on disk: each change is a temporary file,
// fsync, rename and fsync of the directory, so a power cut leaves the old content or the new.
// Failures are Storage and name the file.

/// The content, or none when there is no such file.
core::Result<std::optional<std::string>> read_file(std::filesystem::path const& path);

core::Result<void> write_file_durably(std::filesystem::path const& path, std::string_view content);

/// Fine when there is no such file.
core::Result<void> remove_file_durably(std::filesystem::path const& path);

} // namespace cpm::eventstore
