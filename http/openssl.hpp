#pragma once

#include <memory>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <vector>

/// OpenSSL's objects as values, and their PEM. Included by few files (docs/ARCHITECTURE.md).
namespace cpm::http {

template <auto kFree>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        kFree(object);
    }
};

using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;

/// The first private key in a PEM text; null: there is none, or it wants a passphrase.
Key read_key(std::string_view pem);

/// The certificates in a PEM text, in order; empty also when one of them cannot be read.
std::vector<Certificate> read_chain(std::string_view pem);

std::string pem_of(EVP_PKEY* key);
std::string pem_of(X509* certificate);

/// Why OpenSSL failed last on this thread, in its words; forgets it.
std::string openssl_error();

} // namespace cpm::http
