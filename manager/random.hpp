#pragma once

#include "core/hash.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace cpm::manager {

/// The only source of randomness.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

/// The operating system's.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> bytes) override;
};

/// A fresh secret of 256 bits in base64url, behind a prefix that says what it is ("cpm_agent_…").
std::string make_secret(Random& random, std::string_view prefix);
/// A fresh public id: the prefix and 16 hexadecimal digits.
std::string make_id(Random& random, std::string_view prefix);
core::ServerId make_server_id(Random& random);

/// SHA-256 of a secret: what is stored in its place. The secrets are random, so no slow hash is
/// needed.
core::Hash hash_secret(std::string_view secret);

} // namespace cpm::manager
