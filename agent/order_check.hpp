#pragma once

#include "agent/values.hpp"

#include <tl/expected.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace cpm::agent {

/// How long after it was sent a nonce is good for, by CLOCK_BOOTTIME, which goes on in a suspend.
inline constexpr microseconds kNonceLife = std::chrono::seconds(90);

/// An OFF as it came: nothing of it is to be believed before check_order.
struct SignedOrder {
    OffMethod method{};
    std::string server_id{};
    BootIdentity identity{};
    std::string nonce{};
    std::uint64_t sequence = 0; ///< of the request it carries out
    std::string signature{};    ///< base64
};

/// The manager's public key, known since the join.
class OrderKey {
  public:
    /// Reads the base64 of 32 bytes; nothing for any other text.
    static std::optional<OrderKey> parse(std::string_view base64);

    /// Whether `signature` (base64) is this key's for `text`. Ed25519, RFC 8032.
    bool verifies(std::string_view text, std::string_view signature) const;

  private:
    std::array<unsigned char, 32> bytes_{};
};

/// What an order must be bound to: this server, this boot, and the question it answers.
struct OrderBinding {
    std::string_view server_id;
    BootIdentity const& identity;
    std::string_view nonce;
    microseconds nonce_age;
};

/// Nothing when the order is genuine and meant for this moment (HTTP 3.3); else why it is not
/// obeyed, for the journal.
tl::expected<void, std::string>
check_order(SignedOrder const& order, OrderBinding const& binding, OrderKey const& key);

/// Whether the head's signature is the manager's, for what it says (HTTP 3.3, head and witness).
bool is_genuine(Head const& head, OrderKey const& key);

} // namespace cpm::agent
