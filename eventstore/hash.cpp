#include "eventstore/hash.hpp"

#include "core/assert.hpp"

#include <memory>
#include <openssl/evp.h>
#include <sodium.h>

namespace cpm::eventstore {
namespace {

/// OpenSSL's, which uses what the processor has for it: a fourth of libsodium's time for a record,
/// and hashing was more than half of what a replay takes.
class Sha256 {
  public:
    Sha256()
        : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free)
        , context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {}

    void operator()(std::span<std::uint8_t const> bytes, core::Hash& hash) const {
        bool const done = EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                          EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                          EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1;
        ASSERT(done);
    }

  private:
    std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm_;
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

} // namespace

core::Hash sha256(std::span<std::uint8_t const> bytes) {
    thread_local Sha256 const digest;
    core::Hash hash{};
    digest(bytes, hash);
    return hash;
}

core::Hash random_log_id() {
    core::Hash id;
    randombytes_buf(id.data(), id.size());
    return id;
}

} // namespace cpm::eventstore
