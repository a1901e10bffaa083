#pragma once

#include "core/result.hpp"
#include "http/certificate_authority.hpp"

#include <filesystem>
#include <memory>

namespace boost::asio::ssl {
class context;
}

namespace cpm::http {

/// What every TLS connection begins with: the certificate, and TLS 1.2 or 1.3 with forward secrecy
/// alone; no renegotiation, compression or resumption (agents hold one connection for long).
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Fails with Validation when the certificate or its key cannot be used.
core::Result<TlsContext> make_tls_context(TlsIdentity const& identity);

/// A certificate that was given (HTTP 3.5). Fails with Validation; the sentence names the file.
core::Result<TlsIdentity> read_tls_identity(
    std::filesystem::path const& certificate_file, std::filesystem::path const& key_file
);

} // namespace cpm::http
