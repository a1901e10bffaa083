#pragma once

#include <boost/asio/ssl/context.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace cpm::agent {

/// The name in the certificate of a manager with its own CA, wherever it is.
inline constexpr std::string_view kManagerName = "cpm-manager";

/// TLS 1.2 or later. Trusts the CA in `ca_certificate` (PEM) alone; when that is empty, those the
/// system trusts. Throws std::runtime_error when the certificate cannot be read.
boost::asio::ssl::context make_tls_context(std::string const& ca_certificate);

/// Whether this is "sha256:" and 64 hexadecimal digits.
bool is_pin(std::string_view text);

/// The certificate in the chain that the peer showed whose SHA-256 (of its DER form) is `pin`, in
/// PEM; none when there is no such.
std::optional<std::string> find_certificate(SSL* connection, std::string_view pin);

} // namespace cpm::agent
