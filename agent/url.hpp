#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace cpm::agent {

/// Where the manager is: scheme, host and port, nothing behind.
struct Url {
    bool secure = true;
    std::string host; ///< a name or address, without brackets
    std::uint16_t port = 443;

    /// As the Host field of a request has it.
    std::string authority() const;
    std::string text() const;
    /// An address of 127.0.0.0/8, ::1 or "localhost": what is sent there does not leave the
    /// machine.
    bool is_loopback() const;
};

/// Reads "https://manager:8443" and "http://127.0.0.1:8080/"; the error says what was expected.
tl::expected<Url, std::string> parse_url(std::string_view text);

} // namespace cpm::agent
