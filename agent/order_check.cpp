#include "agent/order_check.hpp"

#include <fmt/format.h>

#include <sodium.h>
#include <span>

namespace cpm::agent {
namespace {

/// Exactly as many bytes as `bytes` has, in base64 with padding, in the one way to write them:
/// libsodium's reader alone lets some bytes above 0x7f through.
bool read_base64(std::string_view text, std::span<unsigned char> bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::size_t size = 0;
    int const failed = sodium_base642bin(
        bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr, kVariant
    );
    if (failed != 0 || size != bytes.size())
        return false;
    std::string again(sodium_base64_encoded_len(size, kVariant), '\0');
    sodium_bin2base64(again.data(), again.size(), bytes.data(), size, kVariant);
    again.pop_back(); // its terminating zero
    return again == text;
}

std::string signed_text(SignedOrder const& order) {
    return fmt::format(
        "cpm-order-v1\n{}\n{}\n{}\n{}\n{}\n{}\n",
        order.server_id,
        order.identity.boot_id,
        order.identity.resume_count,
        order.nonce,
        order.sequence,
        to_string(order.method)
    );
}

} // namespace

std::optional<OrderKey> OrderKey::parse(std::string_view base64) {
    OrderKey key;
    if (!read_base64(base64, key.bytes_))
        return std::nullopt;
    return key;
}

bool OrderKey::verifies(std::string_view text, std::string_view signature) const {
    std::array<unsigned char, crypto_sign_BYTES> bytes{};
    if (!read_base64(signature, bytes))
        return false;
    auto const* message = reinterpret_cast<unsigned char const*>(text.data());
    return crypto_sign_verify_detached(bytes.data(), message, text.size(), bytes_.data()) == 0;
}

tl::expected<void, std::string>
check_order(SignedOrder const& order, OrderBinding const& binding, OrderKey const& key) {
    auto const refuse = [](std::string_view why) {
        return tl::make_unexpected(fmt::format("an order was not obeyed: {}", why));
    };
    if (order.server_id != binding.server_id)
        return refuse("it is for another server");
    if (order.identity.boot_id != binding.identity.boot_id)
        return refuse("it is for another boot of this machine");
    if (order.identity.resume_count != binding.identity.resume_count)
        return refuse("it is from the other side of a suspend");
    if (order.nonce != binding.nonce)
        return refuse("it answers another question (a replay)");
    if (binding.nonce_age < microseconds(0) || binding.nonce_age > kNonceLife)
        return refuse("it came later than 90 s after it was asked for");
    if (order.sequence == 0)
        return refuse("it names no request");
    if (!key.verifies(signed_text(order), order.signature))
        return refuse("its signature is not the manager's");
    return {};
}

bool is_genuine(Head const& head, OrderKey const& key) {
    auto const text =
        fmt::format("cpm-head-v1\n{}\n{}\n{}\n", head.epoch, head.sequence, head.hash);
    return key.verifies(text, head.signature);
}

} // namespace cpm::agent
