#include "tools/cpm-manager/certificate.hpp"

#include "http/own_names.hpp"

namespace cpm::tools {
namespace {

using Renew = std::function<core::Result<http::TlsContext>()>;

core::Result<Certificate> first(std::string ca_pin, Renew renew) {
    auto context = renew();
    if (!context)
        return tl::make_unexpected(context.error());
    return Certificate{std::move(*context), std::move(ca_pin), std::move(renew)};
}

} // namespace

core::Result<http::TlsContext> read_context(GivenCertificate const& files) {
    auto const identity = http::read_tls_identity(files.certificate, files.key);
    if (!identity)
        return tl::make_unexpected(identity.error());
    return http::make_tls_context(*identity);
}

core::Result<Certificate> given_certificate(GivenCertificate const& files) {
    return first({}, [files] { return read_context(files); });
}

core::Result<Certificate> own_certificate(Options const& options, manager::Clock const& clock) {
    auto const keys = options.data_directory / "keys";
    auto authority = http::CertificateAuthority::load(keys, clock.now().wall);
    if (!authority)
        return tl::make_unexpected(authority.error());
    auto pin = authority->pin();
    return first(std::move(pin), [&options, &clock, authority = std::move(*authority)] {
        auto const names = http::certificate_names(options.host_names, options.public_url);
        return http::make_tls_context(authority.issue(names, clock.now().wall));
    });
}

} // namespace cpm::tools
