#include "manager/keys.hpp"

#include "manager/key_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sodium.h>
#include <span>

namespace cpm::manager {
namespace {

namespace fs = std::filesystem;

std::string base64(std::span<unsigned char const> bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
    text.pop_back(); // its terminating zero
    return text;
}

core::Result<void> read_key(fs::path const& file, std::span<unsigned char> key) {
    auto const bytes = read_key_file(file);
    if (!bytes)
        return tl::make_unexpected(bytes.error());
    if (bytes->size() != key.size())
        return tl::make_unexpected(
            broken_key_file(file, fmt::format("is not a key of {} bytes", key.size()))
        );
    std::memcpy(key.data(), bytes->data(), key.size());
    return {};
}

template <class Make>
core::Result<void>
load_or_make(fs::path const& file, std::span<unsigned char> key, Keys::Missing missing, Make make) {
    std::error_code error;
    bool const is_there = fs::exists(file, error);
    if (error) // neither there nor absent: never made anew
        return tl::make_unexpected(broken_key_file(file, error.message()));
    if (is_there)
        return read_key(file, key);
    if (missing == Keys::Missing::Refuse)
        return tl::make_unexpected(broken_key_file(file, "is missing beside a log that is not new")
        );
    make();
    return write_key_file(file, {reinterpret_cast<char const*>(key.data()), key.size()});
}

/// The file is the key and its hash: with a flipped bit no agent's witness would count. Earlier
/// versions wrote the key alone.
core::Result<void>
load_witness(fs::path const& file, std::span<unsigned char> secret, Keys::Missing missing) {
    std::array<unsigned char, crypto_auth_KEYBYTES + crypto_generichash_BYTES> bytes{};
    auto const key = std::span(bytes).first<crypto_auth_KEYBYTES>();
    auto const hash_of_key = [&] {
        std::array<unsigned char, crypto_generichash_BYTES> hash{};
        crypto_generichash(hash.data(), hash.size(), key.data(), key.size(), nullptr, 0);
        return hash;
    };
    auto const make = [&] {
        randombytes_buf(key.data(), key.size());
        std::ranges::copy(hash_of_key(), bytes.begin() + key.size());
    };
    std::error_code missing_yet;
    bool const is_earlier = fs::file_size(file, missing_yet) == key.size();
    auto const content = std::span(bytes).first(is_earlier ? key.size() : bytes.size());
    if (auto done = load_or_make(file, content, missing, make); !done)
        return done;
    if (!is_earlier && !std::ranges::equal(hash_of_key(), content.subspan(key.size())))
        return tl::make_unexpected(broken_key_file(file, "is damaged"));
    std::ranges::copy(key, secret.begin());
    return {};
}

} // namespace

core::Result<Keys> Keys::load(fs::path const& data_directory, Missing missing) {
    if (sodium_init() < 0)
        return core::fail(core::ErrorCode::Storage, "libsodium cannot find a source of randomness");
    auto const folder = data_directory / "keys";
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error)
        fs::permissions(folder, fs::perms::owner_all, error);
    if (error)
        return core::fail(
            core::ErrorCode::Storage, fmt::format("{}: {}", folder.string(), error.message())
        );
    Keys keys;
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> order_public{};
    auto const make_order = [&] {
        crypto_sign_keypair(order_public.data(), keys.order_secret_.data());
    };
    if (auto done = load_or_make(folder / "order.key", keys.order_secret_, missing, make_order);
        !done)
        return tl::make_unexpected(done.error());
    // The file is a seed and the public key that follows from it; a flipped bit would make orders
    // that no agent obeys.
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> derived{};
    crypto_sign_seed_keypair(order_public.data(), derived.data(), keys.order_secret_.data());
    if (derived != keys.order_secret_)
        return tl::make_unexpected(broken_key_file(folder / "order.key", "is damaged"));
    keys.order_key_ = base64(order_public);

    if (auto done = load_witness(folder / "witness.key", keys.witness_secret_, missing); !done)
        return tl::make_unexpected(done.error());
    return keys;
}

std::string order_text(core::Order const& order) {
    return fmt::format(
        "cpm-order-v1\n{}\n{}\n{}\n{}\n{}\n{}\n",
        to_string(order.server),
        to_string(order.identity.boot_id),
        order.identity.resume_count,
        order.nonce,
        order.request.value,
        to_string(order.method)
    );
}

std::string head_text(eventstore::Head const& head) {
    // Three times a heartbeat: not byte by byte.
    std::array<char, 2 * sizeof(core::Hash) + 1> hash;
    sodium_bin2hex(hash.data(), hash.size(), head.hash.data(), head.hash.size());
    return fmt::format("cpm-head-v1\n{}\n{}\n{}\n", head.epoch, head.sequence.value, hash.data());
}

std::string Keys::sign(core::Order const& order) const {
    return sign_text(order_text(order));
}

std::string Keys::sign(eventstore::Head const& head) const {
    return sign_text(head_text(head));
}

std::string Keys::sign_text(std::string_view text) const {
    std::array<unsigned char, crypto_sign_BYTES> signature;
    crypto_sign_detached(
        signature.data(),
        nullptr,
        reinterpret_cast<unsigned char const*>(text.data()),
        text.size(),
        order_secret_.data()
    );
    return base64(signature);
}

std::string Keys::witness_mac(eventstore::Head const& head) const {
    auto const text = head_text(head);
    std::array<unsigned char, crypto_auth_BYTES> mac;
    crypto_auth(
        mac.data(),
        reinterpret_cast<unsigned char const*>(text.data()),
        text.size(),
        witness_secret_.data()
    );
    return base64(mac);
}

} // namespace cpm::manager
