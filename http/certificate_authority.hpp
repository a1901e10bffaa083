#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace cpm::http {

/// A certificate and its private key, in PEM.
struct TlsIdentity {
    std::string chain; ///< the certificate itself first, then its issuers
    std::string key;
};

/// The manager's own certificate authority (HTTP 3.5): made once, pinned by agents when they join.
///
/// Operation: its key and certificate are KEYS/ca.key and KEYS/ca.crt (0600, part of a backup); the
/// certificate holds for ten years. It signs a certificate at each start, for the addresses and
/// names of that day, which is never stored. What agents check is the chain and the fixed name
/// "cpm-manager", so that a new address of the manager is no reason to distrust it.
///
/// Concurrency: immutable after loading. Throws std::runtime_error when OpenSSL has no memory or no
/// randomness.
class CertificateAuthority {
  public:
    /// Loads it from this directory, which exists, or makes it. A file that cannot be used is an
    /// error, never replaced: it would lock out every agent that joined. (A key without its
    /// certificate gets a new one: chains made under the old one stay valid.)
    static core::Result<CertificateAuthority>
    load(std::filesystem::path const& keys_directory, core::WallTime now);

    /// "sha256:HEX" of the certificate's DER: what a join line carries.
    std::string const& pin() const { return pin_; }

    /// A new key and a certificate for it, chain included: for "cpm-manager", "localhost" and these
    /// names, each a host name or an IP address as text. It holds for 825 days, at most as long as
    /// the authority.
    TlsIdentity issue(std::span<std::string const> names, core::WallTime now) const;

  private:
    std::string key_;
    std::string certificate_;
    std::string pin_;
};

} // namespace cpm::http
