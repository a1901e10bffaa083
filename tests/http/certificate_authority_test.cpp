// The manager's own authority (HTTP 3.5), judged by OpenSSL's verification, as agents do.
#include "http/certificate_authority.hpp"
#include "http/openssl.hpp"
#include "http/tls_context.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

using namespace cpm;
using namespace cpm::http;
namespace fs = std::filesystem;

namespace {

using std::chrono::days;

core::WallTime const kNow{std::chrono::seconds{1'795'000'000}}; // 2026-11-18T11:06:40Z
std::vector<std::string> const kNames{"rack1", "192.0.2.5", "2001:db8::1", "localhost"};

std::string text_of(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(fs::path const& path, std::string const& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

CertificateAuthority load(fs::path const& directory, core::WallTime now = kNow) {
    auto authority = CertificateAuthority::load(directory, now);
    REQUIRE(authority);
    return *authority;
}

/// X509_V_OK, or why a client that trusts this authority alone refuses the chain at this time.
int verify(std::string const& trusted_pem, std::string const& chain_pem, core::WallTime at) {
    auto const trusted = read_chain(trusted_pem);
    auto const chain = read_chain(chain_pem);
    REQUIRE(trusted.size() == 1);
    REQUIRE(chain.size() == 2);
    std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>> const store(X509_STORE_new());
    REQUIRE(X509_STORE_add_cert(store.get(), trusted[0].get()) == 1);
    std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>> const context(X509_STORE_CTX_new()
    );
    REQUIRE(X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), nullptr) == 1);
    auto* const parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set1_host(parameters, "cpm-manager", 0);
    auto const seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch();
    X509_VERIFY_PARAM_set_time(parameters, seconds.count());
    X509_verify_cert(context.get());
    ERR_clear_error();
    return X509_STORE_CTX_get_error(context.get());
}

std::string sha256_of(std::string const& pem) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    REQUIRE(X509_digest(read_chain(pem).at(0).get(), EVP_sha256(), hash, &size) == 1);
    return fmt::format("{:02x}", fmt::join(hash, hash + size, ""));
}

} // namespace

TEST_CASE("authority: a chain it issues is good for its names and for nothing else (3.5)") {
    TemporaryDirectory directory;
    auto const authority = load(directory.path());
    auto const identity = authority.issue(kNames, kNow);
    auto const trusted = text_of(directory.path() / "ca.crt");
    CHECK(verify(trusted, identity.chain, kNow) == X509_V_OK);
    CHECK(authority.pin() == "sha256:" + sha256_of(trusted));

    auto const chain = read_chain(identity.chain);
    CHECK(X509_check_private_key(chain[0].get(), read_key(identity.key).get()) == 1);
    auto const is_for = [&](char const* host) {
        return X509_check_host(chain[0].get(), host, 0, 0, nullptr) == 1;
    };
    auto const is_for_address = [&](char const* address) {
        return X509_check_ip_asc(chain[0].get(), address, 0) == 1;
    };
    CHECK(is_for("cpm-manager"));
    CHECK(is_for("localhost"));
    CHECK(is_for("rack1"));
    CHECK_FALSE(is_for("rack2"));
    CHECK_FALSE(is_for("192.0.2.5"));
    CHECK(is_for_address("192.0.2.5"));
    CHECK(is_for_address("2001:db8::1"));
    CHECK_FALSE(is_for_address("192.0.2.6"));
    CHECK(X509_check_ca(chain[0].get()) == 0);
    CHECK(X509_check_ca(chain[1].get()) == 1);
    CHECK(make_tls_context(identity));
}

TEST_CASE("authority: holds for ten years, what it issues for 825 days and never longer (3.5)") {
    TemporaryDirectory directory;
    auto const authority = load(directory.path());
    auto const trusted = text_of(directory.path() / "ca.crt");
    auto const chain = authority.issue(kNames, kNow).chain;
    CHECK(verify(trusted, chain, kNow - days{1}) == X509_V_OK);
    CHECK(verify(trusted, chain, kNow - days{2}) == X509_V_ERR_CERT_NOT_YET_VALID);
    CHECK(verify(trusted, chain, kNow + days{824}) == X509_V_OK);
    CHECK(verify(trusted, chain, kNow + days{826}) == X509_V_ERR_CERT_HAS_EXPIRED);

    auto const late = kNow + days{3600};
    auto const last = load(directory.path(), late).issue(kNames, late).chain;
    CHECK(verify(trusted, last, kNow + days{3652}) == X509_V_OK);
    auto const leaf = read_chain(last);
    auto* const end = X509_get0_notAfter(leaf[0].get());
    CHECK(ASN1_TIME_compare(end, X509_get0_notAfter(leaf[1].get())) == 0);
    CHECK_FALSE(CertificateAuthority::load(directory.path(), kNow + days{3660}));
}

TEST_CASE("authority: is made once, 0600, and stays; each start has a certificate of its own (3.5)"
) {
    TemporaryDirectory directory;
    auto const first = load(directory.path());
    for (auto const* name : {"ca.key", "ca.crt"}) {
        struct stat info {};
        REQUIRE(::stat((directory.path() / name).c_str(), &info) == 0);
        CHECK((info.st_mode & 07777) == 0600);
    }
    auto const again = load(directory.path(), kNow + days{100});
    CHECK(first.pin() == again.pin());
    auto const old_chain = first.issue(kNames, kNow).chain;
    auto const new_chain = again.issue(kNames, kNow).chain;
    CHECK(old_chain != new_chain);
    CHECK(first.issue(kNames, kNow).key != first.issue(kNames, kNow).key);
    TemporaryDirectory other;
    auto const stranger = load(other.path());
    CHECK(stranger.pin() != first.pin());
    auto const trusted = text_of(directory.path() / "ca.crt");
    CHECK(verify(trusted, stranger.issue(kNames, kNow).chain, kNow) != X509_V_OK);
}

TEST_CASE("authority: a key that lost its certificate goes on being trusted by who pinned it (3.5)"
) {
    TemporaryDirectory directory;
    load(directory.path());
    auto const pinned = text_of(directory.path() / "ca.crt");
    fs::remove(directory.path() / "ca.crt");
    auto const again = load(directory.path());
    CHECK(verify(pinned, again.issue(kNames, kNow).chain, kNow) == X509_V_OK);
}

TEST_CASE("authority: files that cannot be used are named and never replaced (3.5)") {
    TemporaryDirectory directory;
    TemporaryDirectory other;
    load(directory.path());
    load(other.path());
    auto const key = directory.path() / "ca.key";
    auto const certificate = directory.path() / "ca.crt";
    auto const good_key = text_of(key);
    auto const good_certificate = text_of(certificate);
    auto const refused = [&](fs::path const& named) {
        auto const before = fs::exists(key) ? text_of(key) : "";
        auto const result = CertificateAuthority::load(directory.path(), kNow);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == core::ErrorCode::Storage);
        CHECK(result.error().detail.starts_with(named.string() + ":"));
        CHECK((fs::exists(key) ? text_of(key) : "") == before);
    };
    for (auto const size : {0UL, 40UL, good_key.size() - 30}) {
        write(key, good_key.substr(0, size));
        refused(key);
    }
    fs::remove(key);
    refused(key);
    write(key, text_of(other.path() / "ca.key"));
    refused(certificate);
    write(key, good_key);
    for (auto const size : {0UL, 40UL, good_certificate.size() - 30}) {
        write(certificate, good_certificate.substr(0, size));
        refused(certificate);
    }
}

TEST_CASE("given certificate: a file that cannot be used is named (3.5)") {
    TemporaryDirectory directory;
    auto const identity = load(directory.path()).issue(kNames, kNow);
    auto const certificate = directory.path() / "mine.crt";
    auto const key = directory.path() / "mine.key";
    auto const refused = [&](fs::path const& named) {
        auto const result = read_tls_identity(certificate, key);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == core::ErrorCode::Validation);
        CHECK(result.error().detail.starts_with(named.string() + ":"));
    };
    refused(certificate); // neither is there
    write(certificate, identity.chain);
    refused(key);
    write(key, text_of(directory.path() / "ca.key"));
    refused(key); // of another certificate
    write(key, "rubbish");
    refused(key);
    write(key, identity.key);
    CHECK(read_tls_identity(certificate, key));
    write(certificate, identity.chain.substr(0, identity.chain.size() - 30));
    refused(certificate); // its issuer is cut short
    write(certificate, identity.key);
    refused(certificate);
}
