#pragma once

#include "core/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace cpm::manager {

/// The whole file, at most 64 KiB. Fails with broken_key_file().
core::Result<std::string> read_key_file(std::filesystem::path const& file);

/// Writes it (0600, in one step), durable before it returns: a key that an agent was told must not
/// be lost by a power cut. Fails with Storage.
core::Result<void> write_key_file(std::filesystem::path const& file, std::string_view bytes);

/// A key file that cannot be used is never replaced, because agents hold the public half; the error
/// names it and says what helps.
core::Error broken_key_file(std::filesystem::path const& file, std::string_view what);

} // namespace cpm::manager
