#pragma once

#include "core/result.hpp"
#include "manager/random.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cpm::tools {

/// What a started manager tells those who wait for it.
struct Ready {
    std::optional<std::string> http{}; ///< "127.0.0.1:41873"
    std::optional<std::string> https{};
    std::optional<std::string> compatible_wake{};
    std::string ca_pin{};     ///< of the manager's own authority; empty: it is not used
    std::string setup_code{}; ///< empty once there is a user
    std::string public_url{}; ///< empty: none
};

/// A one-time setup code that people can read out: three groups of four letters and digits.
std::string make_setup_code(manager::Random& random);

/// Where people open it; with the setup code, as long as there is one, each URL leads to the setup.
std::vector<std::string> urls_of(Ready const& ready);

/// Writes the ready file (0600, in one step): http, https, urls, compatible_wake, ca_pin,
/// setup_code and pid, as JSON.
core::Result<void> write_ready_file(std::filesystem::path const& file, Ready const& ready);

/// The same for a person at a terminal or in the journal.
std::string ready_text(Ready const& ready);

} // namespace cpm::tools
