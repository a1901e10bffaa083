#include "http/tls_context.hpp"

#include "http/openssl.hpp"

#include <boost/asio/ssl/context.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace cpm::http {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ssl::context;

core::Result<std::string> read_text(fs::path const& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(stream), {});
    if (!stream.is_open() || stream.bad())
        return core::fail(
            core::ErrorCode::Validation,
            fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno))
        );
    return text;
}

tl::unexpected<core::Error> wrong(fs::path const& file, std::string_view what) {
    return core::fail(core::ErrorCode::Validation, fmt::format("{}: {}", file.string(), what));
}

} // namespace

core::Result<TlsContext> make_tls_context(TlsIdentity const& identity) {
    auto made = std::make_shared<context>(context::tls_server);
    auto* const native = made->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20"); // of TLS 1.2; 1.3 has only good
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(native, 0);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    // A thousand idle connections hold no buffers of their own.
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);

    boost::system::error_code error;
    made->use_certificate_chain(asio::buffer(identity.chain), error);
    if (!error)
        made->use_private_key(asio::buffer(identity.key), context::pem, error);
    if (error)
        return core::fail(
            core::ErrorCode::Validation,
            fmt::format("TLS cannot use this certificate: {}", error.message())
        );
    return made;
}

core::Result<TlsIdentity>
read_tls_identity(fs::path const& certificate_file, fs::path const& key_file) {
    auto chain_text = read_text(certificate_file);
    if (!chain_text)
        return tl::make_unexpected(chain_text.error());
    auto key_text = read_text(key_file);
    if (!key_text)
        return tl::make_unexpected(key_text.error());
    auto const chain = read_chain(*chain_text);
    if (chain.empty())
        return wrong(certificate_file, "expected certificates in PEM, the server's own first");
    auto const key = read_key(*key_text);
    if (!key)
        return wrong(key_file, "expected a private key in PEM, without a passphrase");
    if (X509_check_private_key(chain[0].get(), key.get()) != 1)
        return wrong(key_file, "is not the key of " + certificate_file.string());
    TlsIdentity identity{std::move(*chain_text), std::move(*key_text)};
    if (auto const usable = make_tls_context(identity); !usable)
        return wrong(certificate_file, usable.error().detail);
    return identity;
}

} // namespace cpm::http
