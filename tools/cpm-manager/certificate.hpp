#pragma once

#include "core/result.hpp"
#include "http/tls_context.hpp"
#include "manager/clock.hpp"
#include "tools/cpm-manager/options.hpp"

#include <functional>
#include <string>

namespace cpm::tools {

/// What the TLS listener shows to the world.
struct Certificate {
    http::TlsContext context;
    std::string ca_pin; ///< empty: it was given
    /// Reads or issues it anew.
    std::function<core::Result<http::TlsContext>()> renew;
};

/// What is in the files now. Fails with Validation; the sentence names the file.
core::Result<http::TlsContext> read_context(GivenCertificate const& files);

/// From files. Fails with Validation; the sentence names the file.
core::Result<Certificate> given_certificate(GivenCertificate const& files);

/// From the authority in the data directory, which is made if there is none; for the names and
/// addresses this machine has now. Both arguments must outlive the result. Fails with Storage.
core::Result<Certificate> own_certificate(Options const& options, manager::Clock const& clock);

} // namespace cpm::tools
