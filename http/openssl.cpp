#include "http/openssl.hpp"

#include "core/assert.hpp"

#include <openssl/err.h>

namespace cpm::http {
namespace {

using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;

Bio reader(std::string_view bytes) {
    return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    auto const size = BIO_get_mem_data(bio, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

/// A service has nobody to ask: without this OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) {
    return 0;
}

} // namespace

Key read_key(std::string_view pem) {
    auto const bio = reader(pem);
    Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return key;
}

std::vector<Certificate> read_chain(std::string_view pem) {
    auto const bio = reader(pem);
    std::vector<Certificate> chain;
    while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)})
        chain.push_back(std::move(next));
    // A clean end is that no further PEM begins.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        chain.clear();
    ERR_clear_error();
    return chain;
}

std::string pem_of(EVP_PKEY* key) {
    Bio const bio(BIO_new(BIO_s_mem()));
    ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
    return text_of(bio.get());
}

std::string pem_of(X509* certificate) {
    Bio const bio(BIO_new(BIO_s_mem()));
    ASSERT(PEM_write_bio_X509(bio.get(), certificate));
    return text_of(bio.get());
}

std::string openssl_error() {
    char const* const reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    return reason ? reason : "unknown";
}

} // namespace cpm::http
