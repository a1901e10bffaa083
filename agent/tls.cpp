#include "agent/tls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <vector>

namespace cpm::agent {
namespace {

constexpr std::string_view kPinPrefix = "sha256:";

bool is_hexadecimal(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string pin_of(X509* certificate) {
    std::vector<unsigned char> der(static_cast<std::size_t>(i2d_X509(certificate, nullptr)));
    auto* end = der.data();
    i2d_X509(certificate, &end);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(der.data(), der.size(), hash.data());
    return fmt::format("{}{:02x}", kPinPrefix, fmt::join(hash, ""));
}

std::string pem_of(X509* certificate) {
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_X509(memory.get(), certificate);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

} // namespace

boost::asio::ssl::context make_tls_context(std::string const& ca_certificate) {
    using boost::asio::ssl::context;
    context made(context::tls_client);
    SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(made.native_handle(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(made.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    made.set_verify_mode(boost::asio::ssl::verify_peer);
    if (ca_certificate.empty())
        made.set_default_verify_paths();
    else
        made.add_certificate_authority(boost::asio::buffer(ca_certificate));
    return made;
}

bool is_pin(std::string_view text) {
    auto const digits = text.substr(std::min(kPinPrefix.size(), text.size()));
    return text.starts_with(kPinPrefix) && digits.size() == 2 * SHA256_DIGEST_LENGTH &&
           std::ranges::all_of(digits, is_hexadecimal);
}

std::optional<std::string> find_certificate(SSL* connection, std::string_view pin) {
    auto wanted = std::string(pin);
    for (auto& c : wanted)
        if (c >= 'A' && c <= 'F')
            c = static_cast<char>(c - 'A' + 'a');
    auto* const chain = SSL_get_peer_cert_chain(connection);
    for (int i = 0; chain && i < sk_X509_num(chain); ++i) {
        auto* const certificate = sk_X509_value(chain, i);
        if (pin_of(certificate) == wanted)
            return pem_of(certificate);
    }
    return std::nullopt;
}

} // namespace cpm::agent
