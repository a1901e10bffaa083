#include "http/certificate_authority.hpp"

#include "http/openssl.hpp"
#include "manager/key_file.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace cpm::http {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;

constexpr days kAuthorityLife{3653};
constexpr days kCertificateLife{825}; ///< what browsers take at most from an authority of one's own
constexpr days kBackdated{1};         ///< the clock of a machine that has just booted may be late
constexpr std::string_view kName = "cpm-manager"; ///< what agents check

/// OpenSSL fails here for want of memory or of randomness alone.
struct Failed : std::runtime_error {
    explicit Failed(std::string_view what)
        : std::runtime_error(fmt::format("{}: {}", what, openssl_error())) {}
};

template <class T>
T need(T result, std::string_view what) {
    if (!result)
        throw Failed(what);
    return result;
}

std::time_t seconds_of(core::WallTime time) {
    return std::chrono::floor<core::seconds>(time).time_since_epoch().count();
}

Key make_key() {
    return Key(need(EVP_EC_gen("P-256"), "a key cannot be made"));
}

std::string hex(std::span<unsigned char const> bytes) {
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string sha256_of(X509 const* certificate) {
    std::array<unsigned char, 32> hash{};
    need(X509_digest(certificate, EVP_sha256(), hash.data(), nullptr), "no SHA-256");
    return hex(hash);
}

/// The same for the same key, so that a certificate made anew continues the old one's chains.
std::string authority_name(EVP_PKEY const* key) {
    unsigned char* der = nullptr;
    int const size = i2d_PUBKEY(key, &der);
    need(size > 0, "the key cannot be encoded");
    std::array<unsigned char, 32> hash{};
    auto const length = static_cast<std::size_t>(size);
    int const done = EVP_Digest(der, length, hash.data(), nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    need(done, "no SHA-256");
    return "CPM manager CA " + hex(std::span(hash).first(4));
}

void set_serial(X509* certificate) {
    std::array<unsigned char, 16> bytes{};
    need(RAND_bytes(bytes.data(), bytes.size()) == 1, "no random bytes");
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7fU) | 0x40U); // positive, never short
    std::unique_ptr<BIGNUM, Deleter<BN_free>> const number(
        need(BN_bin2bn(bytes.data(), bytes.size(), nullptr), "no serial number")
    );
    need(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)), "no serial number");
}

void set_common_name(X509* certificate, std::string const& name) {
    auto const* const bytes = reinterpret_cast<unsigned char const*>(name.c_str());
    auto* const subject = X509_get_subject_name(certificate);
    need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, bytes, -1, -1, 0), "no subject");
}

/// An extension in OpenSSL's notation (x509v3_config(5)); never of text from outside.
void add_extension(X509* certificate, X509* issuer, int kind, char const* value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> const extension(
        need(X509V3_EXT_conf_nid(nullptr, &context, kind, value), "no extension")
    );
    need(X509_add_ext(certificate, extension.get(), -1), "no extension");
}

/// A name of the certificate: an address where the text is one, else a host name.
GENERAL_NAME* general_name(std::string const& text) {
    std::unique_ptr<GENERAL_NAME, Deleter<GENERAL_NAME_free>> name(
        need(GENERAL_NAME_new(), "no name")
    );
    boost::system::error_code no_address;
    auto const address = boost::asio::ip::make_address(text, no_address);
    std::string bytes = text;
    if (!no_address && address.is_v4()) {
        auto const raw = address.to_v4().to_bytes();
        bytes.assign(raw.begin(), raw.end());
    } else if (!no_address) {
        auto const raw = address.to_v6().to_bytes();
        bytes.assign(raw.begin(), raw.end());
    }
    auto* const value = no_address ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    need(value, "no name");
    GENERAL_NAME_set0_value(name.get(), no_address ? GEN_DNS : GEN_IPADD, value);
    need(ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())), "no name");
    return name.release();
}

void add_names(X509* certificate, std::span<std::string const> names) {
    std::vector<std::string> all{std::string(kName), "localhost"};
    for (auto const& name : names)
        if (std::ranges::find(all, name) == all.end())
            all.push_back(name);
    std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>> const list(
        need(sk_GENERAL_NAME_new_null(), "no names")
    );
    for (auto const& name : all)
        need(sk_GENERAL_NAME_push(list.get(), general_name(name)), "no names");
    need(
        X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT),
        "no names"
    );
}

/// A certificate with what all have in common; not signed yet.
Certificate begin_certificate(EVP_PKEY* key, std::string const& name, core::WallTime now) {
    Certificate certificate(need(X509_new(), "no certificate"));
    need(X509_set_version(certificate.get(), X509_VERSION_3), "no certificate");
    set_serial(certificate.get());
    set_common_name(certificate.get(), name);
    need(X509_set_pubkey(certificate.get(), key), "no certificate");
    auto const begin = seconds_of(now - kBackdated);
    need(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), begin), "no certificate");
    return certificate;
}

void finish_certificate(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
    need(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)), "no issuer");
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (issuer != certificate)
        add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    need(X509_sign(certificate, issuer_key, EVP_sha256()), "cannot sign");
}

Certificate make_authority(EVP_PKEY* key, core::WallTime now) {
    auto certificate = begin_certificate(key, authority_name(key), now);
    auto* const raw = certificate.get();
    need(ASN1_TIME_set(X509_getm_notAfter(raw), seconds_of(now + kAuthorityLife)), "no date");
    add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign");
    finish_certificate(raw, raw, key);
    return certificate;
}

tl::unexpected<core::Error> unusable(fs::path const& file, std::string_view what) {
    return tl::make_unexpected(manager::broken_key_file(file, what));
}

core::Result<bool> is_there(fs::path const& file) {
    std::error_code error;
    bool const found = fs::exists(file, error);
    if (error) // neither there nor absent: never made anew
        return unusable(file, error.message());
    return found;
}

core::Result<Key> make_key(fs::path const& file) {
    auto key = make_key();
    if (auto written = manager::write_key_file(file, pem_of(key.get())); !written)
        return tl::make_unexpected(written.error());
    return key;
}

core::Result<Key> load_key(fs::path const& file) {
    auto const pem = manager::read_key_file(file);
    if (!pem)
        return tl::make_unexpected(pem.error());
    auto key = read_key(*pem);
    if (!key)
        return unusable(file, "is no private key in PEM");
    return key;
}

core::Result<Certificate>
make_certificate(fs::path const& file, EVP_PKEY* key, core::WallTime now) {
    auto certificate = make_authority(key, now);
    if (auto written = manager::write_key_file(file, pem_of(certificate.get())); !written)
        return tl::make_unexpected(written.error());
    return certificate;
}

core::Result<Certificate>
load_certificate(fs::path const& file, EVP_PKEY* key, core::WallTime now) {
    auto const pem = manager::read_key_file(file);
    if (!pem)
        return tl::make_unexpected(pem.error());
    auto chain = read_chain(*pem);
    if (chain.size() != 1)
        return unusable(file, "is no certificate in PEM");
    if (X509_check_private_key(chain[0].get(), key) != 1)
        return unusable(file, "is not the certificate of ca.key beside it");
    auto moment = seconds_of(now);
    if (X509_cmp_time(X509_get0_notAfter(chain[0].get()), &moment) < 0)
        return core::fail(
            core::ErrorCode::Storage,
            fmt::format(
                "{}: has expired; move it and ca.key away, start again, and join each agent anew",
                file.string()
            )
        );
    return std::move(chain[0]);
}

} // namespace

core::Result<CertificateAuthority>
CertificateAuthority::load(fs::path const& keys_directory, core::WallTime now) {
    auto const key_file = keys_directory / "ca.key";
    auto const certificate_file = keys_directory / "ca.crt";
    auto const has_key = is_there(key_file);
    auto const has_certificate = is_there(certificate_file);
    if (!has_key || !has_certificate)
        return tl::make_unexpected(has_key ? has_certificate.error() : has_key.error());
    if (!*has_key && *has_certificate)
        return unusable(key_file, "is missing, and ca.crt is there");
    auto const key = *has_key ? load_key(key_file) : make_key(key_file);
    if (!key)
        return tl::make_unexpected(key.error());
    auto const certificate = *has_certificate ? load_certificate(certificate_file, key->get(), now)
                                              : make_certificate(certificate_file, key->get(), now);
    if (!certificate)
        return tl::make_unexpected(certificate.error());
    CertificateAuthority authority;
    authority.key_ = pem_of(key->get());
    authority.certificate_ = pem_of(certificate->get());
    authority.pin_ = "sha256:" + sha256_of(certificate->get());
    return authority;
}

TlsIdentity
CertificateAuthority::issue(std::span<std::string const> names, core::WallTime now) const {
    auto const issuer_key = read_key(key_);
    auto const issuer = read_chain(certificate_);
    auto const key = make_key();
    auto const certificate = begin_certificate(key.get(), std::string(kName), now);
    auto* const raw = certificate.get();
    auto end = seconds_of(now + kCertificateLife);
    auto const* const last = X509_get0_notAfter(issuer[0].get());
    if (X509_cmp_time(last, &end) < 0)
        need(X509_set1_notAfter(raw, last), "no date");
    else
        need(ASN1_TIME_set(X509_getm_notAfter(raw), end), "no date");
    add_extension(raw, issuer[0].get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(raw, issuer[0].get(), NID_key_usage, "critical,digitalSignature");
    add_extension(raw, issuer[0].get(), NID_ext_key_usage, "serverAuth");
    add_names(raw, names);
    finish_certificate(raw, issuer[0].get(), issuer_key.get());
    return TlsIdentity{pem_of(raw) + certificate_, pem_of(key.get())};
}

} // namespace cpm::http
