#include "manager/random.hpp"

#include <fmt/format.h>

#include <array>
#include <sodium.h>

namespace cpm::manager {
namespace {

std::uint64_t draw(Random& random) {
    std::array<std::uint8_t, 8> bytes;
    random.fill(bytes);
    std::uint64_t value = 0;
    for (auto byte : bytes)
        value = value << 8 | byte;
    return value;
}

} // namespace

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    randombytes_buf(bytes.data(), bytes.size());
}

std::string make_secret(Random& random, std::string_view prefix) {
    std::array<std::uint8_t, 32> bytes;
    random.fill(bytes);
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::array<char, sodium_base64_ENCODED_LEN(32, kVariant)> text;
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
    return fmt::format("{}{}", prefix, text.data());
}

std::string make_id(Random& random, std::string_view prefix) {
    return fmt::format("{}{:016x}", prefix, draw(random));
}

core::ServerId make_server_id(Random& random) {
    core::ServerId id;
    while (!id)
        id.value = draw(random);
    return id;
}

core::Hash hash_secret(std::string_view secret) {
    core::Hash hash;
    crypto_hash_sha256(
        hash.data(), reinterpret_cast<unsigned char const*>(secret.data()), secret.size()
    );
    return hash;
}

} // namespace cpm::manager
