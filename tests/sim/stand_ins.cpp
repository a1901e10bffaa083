// Linked in the place of libsodium's functions of the same names, so that the product's objects
// stay as they are: signatures and MACs that cost a hundredth and are as unforgeable to whoever
// does not know this file (another key, or a changed byte, fails), and randomness that a seed
// repeats. SHA-256 is libsodium's own: the chain of the log is the product's.
#include "tests/sim/dice.hpp"

#include <array>
#include <cstring>
#include <sodium.h>
#include <span>

namespace {

using Words = std::array<std::uint64_t, 4>;

std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93;
    value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93;
    return value ^ (value >> 32);
}

/// Four lanes of 64 bits over the key and the text.
Words digest(std::span<unsigned char const> key, unsigned char const* text, std::size_t size) {
    Words lanes{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89};
    std::size_t lane = 0;
    auto const take = [&](unsigned char const* bytes, std::size_t count) {
        for (std::size_t at = 0; at < count; at += 8, lane = (lane + 1) % 4) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes + at, std::min<std::size_t>(8, count - at));
            lanes[lane] = mix(lanes[lane] ^ word) + lanes[(lane + 3) % 4];
        }
    };
    take(key.data(), key.size());
    take(text, size);
    lanes[0] ^= size;
    for (std::size_t i = 0; i < 8; ++i)
        lanes[(i + 1) % 4] ^= mix(lanes[i % 4] + i);
    return lanes;
}

/// What stands for the signature: bound to the public half, which the secret one ends with.
void sign(
    unsigned char* out, unsigned char const* text, std::size_t size, unsigned char const* key
) {
    auto const first = digest({key, crypto_sign_PUBLICKEYBYTES}, text, size);
    Words second;
    for (std::size_t i = 0; i < second.size(); ++i)
        second[i] = mix(first[i] + 0x9e3779b97f4a7c15);
    std::memcpy(out, first.data(), sizeof first);
    std::memcpy(out + sizeof first, second.data(), sizeof second);
}

cpm::sim::Dice& the_dice() {
    static cpm::sim::Dice dice(20261122);
    return dice;
}

} // namespace

extern "C" {

int crypto_sign_seed_keypair(unsigned char* pk, unsigned char* sk, unsigned char const* seed) {
    auto const words = digest({}, seed, crypto_sign_SEEDBYTES);
    std::array<unsigned char, crypto_sign_SEEDBYTES> copy;
    std::memcpy(copy.data(), seed, copy.size()); // it may be the beginning of `sk`
    std::memcpy(pk, words.data(), crypto_sign_PUBLICKEYBYTES);
    std::memcpy(sk, copy.data(), copy.size());
    std::memcpy(sk + copy.size(), pk, crypto_sign_PUBLICKEYBYTES);
    return 0;
}

int crypto_sign_keypair(unsigned char* pk, unsigned char* sk) {
    std::array<unsigned char, crypto_sign_SEEDBYTES> seed;
    the_dice().fill(seed);
    return crypto_sign_seed_keypair(pk, sk, seed.data());
}

int crypto_sign_detached(
    unsigned char* sig,
    unsigned long long* siglen_p,
    unsigned char const* m,
    unsigned long long mlen,
    unsigned char const* sk
) {
    sign(sig, m, mlen, sk + crypto_sign_SEEDBYTES);
    if (siglen_p)
        *siglen_p = crypto_sign_BYTES;
    return 0;
}

int crypto_sign_verify_detached(
    unsigned char const* sig,
    unsigned char const* m,
    unsigned long long mlen,
    unsigned char const* pk
) {
    std::array<unsigned char, crypto_sign_BYTES> genuine;
    sign(genuine.data(), m, mlen, pk);
    return std::memcmp(genuine.data(), sig, genuine.size()) == 0 ? 0 : -1;
}

int crypto_auth(
    unsigned char* out, unsigned char const* in, unsigned long long inlen, unsigned char const* k
) {
    auto const words = digest({k, crypto_auth_KEYBYTES}, in, inlen);
    std::memcpy(out, words.data(), crypto_auth_BYTES);
    return 0;
}

void randombytes_buf(void* const buf, size_t const size) {
    the_dice().fill({static_cast<std::uint8_t*>(buf), size});
}

uint32_t randombytes_uniform(uint32_t const upper_bound) {
    return static_cast<std::uint32_t>(the_dice().below(upper_bound));
}
}
