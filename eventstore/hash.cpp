#include "eventstore/hash.hpp"

#include <sodium.h>

namespace cpm::eventstore {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

} // namespace

core::Hash sha256(std::span<std::uint8_t const> bytes) {
    core::Hash hash;
    static_assert(hash.size() == crypto_hash_sha256_BYTES);
    crypto_hash_sha256(hash.data(), bytes.data(), bytes.size());
    return hash;
}

core::Hash random_log_id() {
    core::Hash id;
    randombytes_buf(id.data(), id.size());
    return id;
}

std::string to_hex(core::Hash const& hash) {
    std::string hex;
    hex.reserve(2 * hash.size());
    for (std::uint8_t const byte : hash) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

std::optional<core::Hash> parse_hash(std::string_view hex) {
    core::Hash hash;
    if (hex.size() != 2 * hash.size())
        return std::nullopt;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        auto const high = kDigits.find(hex[2 * i]);
        auto const low = kDigits.find(hex[2 * i + 1]);
        if (high == kDigits.npos || low == kDigits.npos)
            return std::nullopt;
        hash[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return hash;
}

} // namespace cpm::eventstore
